package duckdb

// addInet: addresses of hosts, networks and interfaces.
func (t *tables) addInet() {
	t.functionTexts(
		"host(inet)", "fg_inet_host($1)", "text(inet)", "fg_inet_show($1)", "abbrev(inet)", "fg_inet_abbrev($1)", "abbrev(cidr)", "fg_cidr_abbrev($1)",
		"network(inet)", "fg_inet_network($1)", "cidr(inet)", "fg_inet_network($1)", "masklen(inet)", "fg_inet_bits($1)", "family(inet)", "fg_inet_family($1)",
		"netmask(inet)", "fg_inet_netmask($1)", "hostmask(inet)", "fg_inet_hostmask($1)", "broadcast(inet)", "fg_inet_broadcast($1)",
		"set_masklen(inet, int4)", "fg_inet_set_bits($1, $2)", "set_masklen(cidr, int4)", "fg_cidr_set_bits($1, $2)",
		"inet_same_family(inet, inet)", "fg_inet_same_family($1, $2)", "inet_merge(inet, inet)", "fg_inet_merge($1, $2)",
		"trunc(macaddr)", "fg_macaddr_trunc($1)", "trunc(macaddr8)", "fg_macaddr8_trunc($1)", "macaddr8_set7bit(macaddr8)", "fg_macaddr8_set7bit($1)",
		"macaddr8(macaddr)", "fg_macaddr8_in($1)", "macaddr(macaddr8)", "fg_macaddr_of($1)",
	)
	t.both("<<(inet, inet)", "network_sub", template("fg_inet_contains($2, $1)"))
	t.both("<<=(inet, inet)", "network_subeq", template("fg_inet_covers($2, $1)"))
	t.both(">>(inet, inet)", "network_sup", template("fg_inet_contains($1, $2)"))
	t.both(">>=(inet, inet)", "network_supeq", template("fg_inet_covers($1, $2)"))
	t.both("&&(inet, inet)", "network_overlap", template("fg_inet_overlaps($1, $2)"))
	t.operatorTexts(
		"~(inet)", "fg_inet_not($1)", "&(inet, inet)", "fg_inet_and($1, $2)", "|(inet, inet)", "fg_inet_or($1, $2)",
		"+(inet, int8)", "fg_inet_plus($1, $2)", "+(int8, inet)", "fg_inet_plus($2, $1)", "-(inet, int8)", "fg_inet_minus($1, $2)",
		"-(inet, inet)", "fg_inet_distance($1, $2)",
	)
	each("macaddr macaddr8", func(m string) {
		t.operatorTexts(sig("~", m), "fg_mac_not($1, $1)", sig("&", m, m), "fg_mac_and($1, $2)", sig("|", m, m), "fg_mac_or($1, $2)")
	})
	t.castTexts("inet->cidr", "fg_inet_network($1)", "cidr->inet", "fg_inet_in($1)", "macaddr->macaddr8", "fg_macaddr8_in($1)", "macaddr8->macaddr", "fg_macaddr_of($1)")
}
