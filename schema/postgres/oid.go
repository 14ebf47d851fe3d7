package postgres

// OID is an object identifier of PostgreSQL's catalogs; 0 is none.
type OID uint32

// oids shortens the generated tables.
type oids = []OID

// The types in daily use, by their fixed OIDs.
const (
	BoolOID          OID = 16
	ByteaOID         OID = 17
	CharOID          OID = 18 // the one-byte "char"
	NameOID          OID = 19
	Int8OID          OID = 20
	Int2OID          OID = 21
	Int2VectorOID    OID = 22
	Int4OID          OID = 23
	RegprocOID       OID = 24
	TextOID          OID = 25
	OIDOID           OID = 26
	TIDOID           OID = 27
	XIDOID           OID = 28
	CIDOID           OID = 29
	OIDVectorOID     OID = 30
	JSONOID          OID = 114
	XMLOID           OID = 142
	PgNodeTreeOID    OID = 194
	PointOID         OID = 600
	Float4OID        OID = 700
	Float8OID        OID = 701
	UnknownOID       OID = 705 // a literal whose type is not decided yet
	CidrOID          OID = 650
	InetOID          OID = 869
	MACAddrOID       OID = 829
	MACAddr8OID      OID = 774
	ACLItemOID       OID = 1033
	BPCharOID        OID = 1042
	VarcharOID       OID = 1043
	DateOID          OID = 1082
	TimeOID          OID = 1083
	TimestampOID     OID = 1114
	TimestampTZOID   OID = 1184
	IntervalOID      OID = 1186
	TimeTZOID        OID = 1266
	BitOID           OID = 1560
	VarbitOID        OID = 1562
	NumericOID       OID = 1700
	RegprocedureOID  OID = 2202
	RegoperOID       OID = 2203
	RegoperatorOID   OID = 2204
	RegclassOID      OID = 2205
	RegtypeOID       OID = 2206
	RegroleOID       OID = 4096
	RegnamespaceOID  OID = 4089
	RegcollationOID  OID = 4191
	TSVectorOID      OID = 3614
	TSQueryOID       OID = 3615
	RegconfigOID     OID = 3734
	RegdictionaryOID OID = 3769
	RecordOID        OID = 2249
	CStringOID       OID = 2275
	VoidOID          OID = 2278
	TriggerOID       OID = 2279
	InternalOID      OID = 2281
	UUIDOID          OID = 2950
	JSONBOID         OID = 3802
	JSONPathOID      OID = 4072
)

// The array types in daily use.
const (
	NameArrayOID        OID = 1003
	Int4ArrayOID        OID = 1007
	TextArrayOID        OID = 1009
	BPCharArrayOID      OID = 1014
	VarcharArrayOID     OID = 1015
	TimestampTZArrayOID OID = 1185
	NumericArrayOID     OID = 1231
	TimeTZArrayOID      OID = 1270
	RecordArrayOID      OID = 2287
	JSONBArrayOID       OID = 3807
)

// The polymorphic pseudo-types, which take the type of the actual arguments.
const (
	AnyOID                     OID = 2276
	AnyArrayOID                OID = 2277
	AnyElementOID              OID = 2283
	AnyNonArrayOID             OID = 2776
	AnyEnumOID                 OID = 3500
	AnyRangeOID                OID = 3831
	AnyMultirangeOID           OID = 4537
	AnyCompatibleOID           OID = 5077
	AnyCompatibleArrayOID      OID = 5078
	AnyCompatibleNonArrayOID   OID = 5079
	AnyCompatibleRangeOID      OID = 5080
	AnyCompatibleMultirangeOID OID = 4538
)
