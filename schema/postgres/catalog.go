package postgres

import (
	"strings"
	"sync"
)

// A catalogIndex finds rows of the generated tables.
type catalogIndex struct {
	typesByOID  map[OID]*Type
	typesByName map[string]*Type // of pg_catalog
	// rangesByType has each row under its range type and under its multirange type.
	rangesByType     map[OID]Range
	castsByTypes     map[castKey]*Cast
	operatorsByTypes map[operatorKey]*Operator
	operatorsByName  map[operatorName][]*Operator
	procsByOID       map[OID]*Proc
	procsByName      map[string][]*Proc
	aggregatesByProc map[OID]*Aggregate

	zoneNamesByLower     map[string]string
	abbreviationsByLower map[string]*ZoneAbbreviation

	quotedKeywords map[string]struct{}
}

// catalog builds the index when it is first asked for: programs that only print values do without most of it.
var catalog = sync.OnceValue(newCatalogIndex) //nolint:gochecknoglobals // an index of constant tables

func newCatalogIndex() *catalogIndex {
	c := &catalogIndex{
		typesByOID:           make(map[OID]*Type, len(typeTable)),
		typesByName:          make(map[string]*Type, len(typeTable)),
		rangesByType:         make(map[OID]Range, 2*len(rangeTable)),
		castsByTypes:         make(map[castKey]*Cast, len(castTable)),
		operatorsByTypes:     make(map[operatorKey]*Operator, len(operatorTable)),
		operatorsByName:      make(map[operatorName][]*Operator),
		procsByOID:           make(map[OID]*Proc, len(procTable)),
		procsByName:          make(map[string][]*Proc),
		aggregatesByProc:     make(map[OID]*Aggregate, len(aggregateTable)),
		zoneNamesByLower:     make(map[string]string, len(zoneNameTable)),
		abbreviationsByLower: make(map[string]*ZoneAbbreviation, len(zoneAbbreviationTable)),
		quotedKeywords:       make(map[string]struct{}),
	}
	for i := range typeTable {
		t := &typeTable[i]
		c.typesByOID[t.OID] = t
		if t.Namespace == "" {
			c.typesByName[t.Name] = t
		}
	}
	for _, r := range rangeTable {
		c.rangesByType[r.Type], c.rangesByType[r.Multirange] = r, r
	}
	for i := range castTable {
		k := &castTable[i]
		c.castsByTypes[castKey{k.Source, k.Target}] = k
	}
	for i := range operatorTable {
		o := &operatorTable[i]
		name := operatorName{o.Name, o.Kind}
		c.operatorsByTypes[operatorKey{o.Name, o.Left, o.Right}] = o
		c.operatorsByName[name] = append(c.operatorsByName[name], o)
	}
	for i := range procTable {
		p := &procTable[i]
		c.procsByOID[p.OID] = p
		c.procsByName[p.Name] = append(c.procsByName[p.Name], p)
	}
	for i := range aggregateTable {
		c.aggregatesByProc[aggregateTable[i].Proc] = &aggregateTable[i]
	}
	for _, name := range zoneNameTable {
		c.zoneNamesByLower[strings.ToLower(name)] = name
	}
	for i := range zoneAbbreviationTable {
		a := &zoneAbbreviationTable[i]
		c.abbreviationsByLower[strings.ToLower(a.Name)] = a
	}
	for keyword := range strings.FieldsSeq(quotedKeywords) {
		c.quotedKeywords[keyword] = struct{}{}
	}
	return c
}
