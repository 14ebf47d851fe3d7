package duckdb

import (
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner/duckdb/textsearch"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The texts of tsvectors and tsqueries are those that their types print, so that
// reading them cannot fail but for what a function of ours did wrong.

func (c *call) tsvector(i int) (postgres.TSVector, error) { return postgres.ParseTSVector(c.text(i)) }

func (c *call) tsquery(i int) (*postgres.TSQuery, error) {
	return memoized(c, c.text(i), postgres.ParseTSQuery)
}

func (c *call) setTSVector(v postgres.TSVector, err error) error {
	if err == nil {
		c.isSet, c.result.text = true, v.Append(c.result.text)
	}
	return err
}

func (c *call) setTSQuery(q *postgres.TSQuery, err error) error {
	if err == nil {
		c.setText(q.String())
	}
	return err
}

// textSearchConfig is the configuration that argument 0 names; the printer lets no other through.
func (c *call) textSearchConfig() textsearch.Config {
	config, _ := textsearch.ConfigNamed(c.text(0))
	return config
}

// readQuery makes a query of a text.
func readQuery(syntax postgres.TSSyntax, join postgres.TSOperator) func(c *call) error {
	return func(c *call) error {
		return c.setTSQuery(c.textSearchConfig().Query(strings.Clone(c.text(1)), syntax, join))
	}
}

// withVector uses the tsvector that is argument 0.
func withVector(use func(c *call, v postgres.TSVector) error) func(c *call) error {
	return func(c *call) error {
		v, err := c.tsvector(0)
		if err == nil {
			err = use(c, v)
		}
		return err
	}
}

// joinQueries joins the queries that are arguments 0 and 1.
func joinQueries(operator postgres.TSOperator) func(c *call) error {
	return func(c *call) error {
		left, err := postgres.ParseTSQuery(c.text(0))
		if err != nil {
			return err
		}
		right, err := postgres.ParseTSQuery(c.text(1))
		if err != nil {
			return err
		}
		q := &postgres.TSQuery{Operator: operator, Left: left, Right: right}
		if operator == postgres.TSPhrase {
			if q.Distance = int(c.int4(2)); q.Distance < 0 || q.Distance > postgres.MaxTSPosition+1 {
				return errorf(pgerrcode.InvalidParameterValue, "distance in phrase operator must be an integer value between zero and %d inclusive", postgres.MaxTSPosition+1)
			}
		}
		switch {
		case left == nil:
			q = right
		case right == nil:
			q = left
		}
		return c.setTSQuery(q, nil)
	}
}

// textSearchFunctions are those of tsvector and tsquery.
func textSearchFunctions() definitions {
	return definitions{
		"fg_to_tsvector(VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			return c.setTSVector(c.textSearchConfig().Vector(c.text(1)))
		},
		"fg_json_to_tsvector(VARCHAR, VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			kinds, err := memoized(c, c.text(2), searchedKinds)
			if err != nil {
				return err
			}
			return c.setTSVector(c.textSearchConfig().Vector(searchedTexts(nil, c.text(1), kinds)...))
		},
		"fg_to_tsquery(VARCHAR, VARCHAR) VARCHAR":           readQuery(postgres.TSQuerySyntax, postgres.TSPhrase),
		"fg_plainto_tsquery(VARCHAR, VARCHAR) VARCHAR":      readQuery(postgres.TSPlainSyntax, postgres.TSAnd),
		"fg_phraseto_tsquery(VARCHAR, VARCHAR) VARCHAR":     readQuery(postgres.TSPlainSyntax, postgres.TSPhrase),
		"fg_websearch_to_tsquery(VARCHAR, VARCHAR) VARCHAR": readQuery(postgres.TSWebSyntax, postgres.TSPhrase),
		"fg_ts_match(VARCHAR, VARCHAR) BOOLEAN": withVector(func(c *call, v postgres.TSVector) error {
			q, err := c.tsquery(1)
			c.setBool(err == nil && textsearch.Match(v, q))
			return err
		}),
		"fg_ts_rank(VARCHAR, VARCHAR, INTEGER) FLOAT":             rankVector(textsearch.Rank, false),
		"fg_ts_rank(VARCHAR, VARCHAR, INTEGER, VARCHAR) FLOAT":    rankVector(textsearch.Rank, true),
		"fg_ts_rank_cd(VARCHAR, VARCHAR, INTEGER) FLOAT":          rankVector(textsearch.RankCover, false),
		"fg_ts_rank_cd(VARCHAR, VARCHAR, INTEGER, VARCHAR) FLOAT": rankVector(textsearch.RankCover, true),
		"fg_tsvector_length(VARCHAR) INTEGER":                     withVector(func(c *call, v postgres.TSVector) error { c.setInt4(int32(len(v))); return nil }),
		"fg_tsvector_strip(VARCHAR) VARCHAR": withVector(func(c *call, v postgres.TSVector) error {
			for i := range v {
				v[i].Positions = nil
			}
			return c.setTSVector(v, nil)
		}),
		"fg_tsvector_setweight(VARCHAR, VARCHAR) VARCHAR": withVector(setWeight),
		"fg_tsvector_words(VARCHAR) VARCHAR[]": withVector(func(c *call, v postgres.TSVector) error {
			words := make([][]byte, len(v))
			for i, l := range v {
				words[i] = []byte(l.Word)
			}
			c.setList(words)
			return nil
		}),
		"fg_tsvector_of(VARCHAR[]) VARCHAR":            vectorOfWords,
		"fg_tsvector_concat(VARCHAR, VARCHAR) VARCHAR": withVector(concatVectors),
		"fg_tsquery_nodes(VARCHAR) INTEGER": func(c *call) error {
			q, err := c.tsquery(0)
			c.setInt4(int32(q.Nodes()))
			return err
		},
		"fg_tsquery_indexable(VARCHAR) VARCHAR": func(c *call) error {
			q, err := c.tsquery(0)
			if err != nil {
				return err
			}
			found, all := textsearch.Indexable(q)
			if all {
				c.setText("T")
				return nil
			}
			return c.setTSQuery(found, nil)
		},
		"fg_tsquery_and(VARCHAR, VARCHAR) VARCHAR":             joinQueries(postgres.TSAnd),
		"fg_tsquery_or(VARCHAR, VARCHAR) VARCHAR":              joinQueries(postgres.TSOr),
		"fg_tsquery_phrase(VARCHAR, VARCHAR, INTEGER) VARCHAR": joinQueries(postgres.TSPhrase),
		"fg_tsquery_not(VARCHAR) VARCHAR": func(c *call) error {
			q, err := c.tsquery(0)
			if q != nil {
				q = &postgres.TSQuery{Operator: postgres.TSNot, Right: q}
			}
			return c.setTSQuery(q, err)
		},
	}
}

// rankVector ranks a document for the query that is argument 1, normalized as argument 2 says; weighted: argument 3 has weights.
func rankVector(rank func(postgres.TSVector, *postgres.TSQuery, textsearch.Weights, int) float32, weighted bool) func(c *call) error {
	return withVector(func(c *call, v postgres.TSVector) error {
		weights := textsearch.DefaultWeights()
		if weighted {
			var err error
			if weights, err = rankWeights(c); err != nil {
				return err
			}
		}
		q, err := c.tsquery(1)
		if err == nil {
			c.setFloat4(rank(v, q, weights, int(c.int4(2))))
		}
		return err
	})
}

// rankWeights reads the array of weights that is argument 3 (getWeights in tsrank.c); those below 0 are the usual ones.
func rankWeights(c *call) (textsearch.Weights, error) {
	weights := textsearch.DefaultWeights()
	a, err := c.shaped(3)
	switch {
	case err != nil:
		return weights, err
	case len(a.Dims) != 1:
		return weights, errorf(pgerrcode.ArraySubscriptError, "array of weight must be one-dimensional")
	case len(a.Items) < len(weights):
		return weights, errorf(pgerrcode.ArraySubscriptError, "array of weight is too short")
	}
	for i := range a.Items {
		if a.Items[i].Kind == postgres.NullKind {
			return weights, errorf(pgerrcode.NullValueNotAllowedDataException, "array of weight must not contain nulls")
		}
	}
	for i := range weights {
		d, err := postgres.ParseLiteral(postgres.Float4OID, -1, a.Items[i].Str, postgres.DefaultEnv())
		switch {
		case err != nil:
			return weights, err
		case d.Float > 1:
			return weights, errorf(pgerrcode.InvalidParameterValue, "weight out of range")
		case d.Float >= 0:
			weights[i] = float32(d.Float)
		}
	}
	return weights, nil
}

// setWeight gives all positions the weight that argument 1 names.
func setWeight(c *call, v postgres.TSVector) error {
	name := c.text(1)
	weight := strings.Index("dcba", strings.ToLower(name))
	if weight < 0 || name == "" {
		code := 0
		if name != "" {
			code = int(name[0])
		}
		return errorf(pgerrcode.InternalError, "unrecognized weight: %d", code)
	}
	for i := range v {
		for j := range v[i].Positions {
			v[i].Positions[j].Weight = uint8(weight)
		}
	}
	return c.setTSVector(v, nil)
}

// vectorOfWords is array_to_tsvector.
func vectorOfWords(c *call) error {
	var lexemes []postgres.TSLexeme
	for _, word := range c.list(0) {
		switch {
		case word == nil:
			return errorf(pgerrcode.NullValueNotAllowedDataException, "lexeme array may not contain nulls")
		case len(word) == 0:
			return errorf(pgerrcode.ZeroLengthCharacterString, "lexeme array may not contain empty strings")
		}
		lexemes = append(lexemes, postgres.TSLexeme{Word: string(word)})
	}
	return c.setTSVector(postgres.NewTSVector(lexemes))
}

// concatVectors is || of tsvectors: the second goes on behind the last position of the first.
func concatVectors(c *call, v postgres.TSVector) error {
	last := 0
	for _, l := range v {
		if n := len(l.Positions); n > 0 {
			last = max(last, int(l.Positions[n-1].At))
		}
	}
	other, err := c.tsvector(1)
	if err != nil {
		return err
	}
	for i := range other {
		for j := range other[i].Positions {
			p := &other[i].Positions[j]
			p.At = uint16(min(int(p.At)+last, postgres.MaxTSPosition))
		}
	}
	return c.setTSVector(postgres.NewTSVector(slices.Concat(v, other)))
}

// searchedKinds reads which values of a document are searched (parse_jsonb_index_flags in jsonfuncs.c).
func searchedKinds(flags string) (map[string]bool, error) {
	fail := func(format string, args ...any) (map[string]bool, error) {
		e := errorf(pgerrcode.InvalidParameterValue, format, args...)
		e.Hint = `Possible values are: "string", "numeric", "boolean", "key", and "all".`
		return nil, e
	}
	if kindOfJSON(flags) == "object" {
		return nil, errorf(pgerrcode.InvalidParameterValue, "wrong flag type, only arrays and scalars are allowed")
	}
	kinds := map[string]bool{}
	for _, part := range jsonParts(flags) {
		if kindOfJSON(part.value) != "string" {
			return fail("flag array element is not a string")
		}
		switch kind := strings.ToLower(unquoteJSON(part.value)); kind {
		case "all":
			kinds["key"], kinds["string"], kinds["number"], kinds["boolean"] = true, true, true, true
		case "numeric":
			kinds["number"] = true
		case "key", "string", "boolean":
			kinds[kind] = true
		default:
			return fail("wrong flag in flag array: \"%s\"", unquoteJSON(part.value))
		}
	}
	return kinds, nil
}

// searchedTexts appends the texts of a document's values, and keys, of the kinds, in the order of the document.
func searchedTexts(texts []string, document string, kinds map[string]bool) []string {
	switch kind := kindOfJSON(document); kind {
	case "object":
		members(document, func(key, value string) bool {
			if kinds["key"] {
				texts = append(texts, unquoteJSON(key))
			}
			texts = searchedTexts(texts, value, kinds)
			return true
		})
	case "array":
		elements(document, func(value string) bool {
			texts = searchedTexts(texts, value, kinds)
			return true
		})
	default:
		if kinds[kind] {
			texts = append(texts, string(jsonItem(strings.TrimSpace(document), true)))
		}
	}
	return texts
}
