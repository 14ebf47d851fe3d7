package pgcatalog

// heapOID is the access method that tables are listed with.
const heapOID = 2

func accessMethodRows(b *builder) {
	for _, am := range []struct {
		oid           int
		name, handler string
		kind          byte
	}{
		{heapOID, "heap", "heap_tableam_handler", 't'},
		{403, "btree", "bthandler", 'i'},
		{405, "hash", "hashhandler", 'i'},
		{783, "gist", "gisthandler", 'i'},
		{2742, "gin", "ginhandler", 'i'},
		{4000, "spgist", "spghandler", 'i'},
		{3580, "brin", "brinhandler", 'i'},
	} {
		b.add("oid", am.oid, "amname", am.name, "amhandler", procOID(am.handler), "amtype", am.kind)
	}
}
