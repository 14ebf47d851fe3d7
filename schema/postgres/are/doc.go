// Package are is PostgreSQL's "advanced regular expressions" (manual, 9.7.3)
// where RE2 and Go's regexp have no answer: look-around, back references, word
// boundaries, greedy and non-greedy quantifiers in one pattern, and what the
// parenthesised parts of a match are.
//
// [Compile] reads a pattern into a tree; [Regex.Find] finds the leftmost match,
// as long or as short as the pattern prefers, and then divides it among the
// parts of the tree in the same order of preference as PostgreSQL
// (regex/regexec.c). A node's set of possible ends comes from running its
// non-deterministic automaton, so that only back references can make a search
// take more than polynomial time.
package are
