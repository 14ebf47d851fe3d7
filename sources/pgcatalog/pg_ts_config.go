package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

// The default parser, and the templates of dictionaries.
const (
	tsParserOID         = 3722
	simpleTemplateOID   = 3727
	snowballTemplateOID = 13150
)

func tsConfigRows(b *builder) {
	for _, c := range postgres.TSConfigs() {
		b.add("oid", int(c.OID), "cfgname", c.Name, "cfgnamespace", catalogOID, "cfgowner", systemRoleOID, "cfgparser", tsParserOID)
	}
}

// tsConfigMapRows say which dictionary tokens of each kind go to; the kinds that are left out have none.
func tsConfigMapRows(b *builder) {
	simple := postgres.TSConfigs()[0].Dictionary
	for _, c := range postgres.TSConfigs() {
		for kind := 1; kind <= 22; kind++ {
			dictionary := simple
			switch kind {
			case 1, 11, 16: // of ASCII letters: a word, a part of one with hyphens, one with hyphens
				dictionary = c.ASCIIDictionary
			case 2, 10, 17: // the same of any letters
				dictionary = c.Dictionary
			case 12, 13, 14: // blanks, tags, protocols
				continue
			}
			b.add("mapcfg", int(c.OID), "maptokentype", kind, "mapseqno", 1, "mapdict", int(dictionary.OID))
		}
	}
}

func tsDictRows(b *builder) {
	for _, c := range postgres.TSConfigs() {
		d, template, options := c.Dictionary, snowballTemplateOID, any(c.Dictionary.Options)
		if c.Name == "simple" {
			template, options = simpleTemplateOID, nil
		}
		b.add("oid", int(d.OID), "dictname", d.Name, "dictnamespace", catalogOID, "dictowner", systemRoleOID, "dicttemplate", template, "dictinitoption", options)
	}
}

func tsParserRows(b *builder) {
	b.add("oid", tsParserOID, "prsname", "default", "prsnamespace", catalogOID, "prsstart", procOID("prsd_start"), "prstoken", procOID("prsd_nexttoken"),
		"prsend", procOID("prsd_end"), "prsheadline", procOID("prsd_headline"), "prslextype", procOID("prsd_lextype"))
}

func tsTemplateRows(b *builder) {
	for _, t := range []struct {
		oid  int
		name string
	}{{simpleTemplateOID, "simple"}, {3730, "synonym"}, {3733, "ispell"}, {3742, "thesaurus"}} {
		prefix := "d" + t.name
		if t.name == "thesaurus" {
			prefix = t.name
		}
		b.add("oid", t.oid, "tmplname", t.name, "tmplnamespace", catalogOID, "tmplinit", procOID(prefix+"_init"), "tmpllexize", procOID(prefix+"_lexize"))
	}
	// Its functions are of a library, and not in pg_proc here.
	b.add("oid", snowballTemplateOID, "tmplname", "snowball", "tmplnamespace", catalogOID, "tmplinit", 13148, "tmpllexize", 13149)
}
