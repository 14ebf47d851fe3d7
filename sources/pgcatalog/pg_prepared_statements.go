package pgcatalog

import "context"

// preparedStatementRows lists the session's named statements. All plans are made
// for the parameters at hand.
func preparedStatementRows(_ context.Context, p *pin, b *builder) error {
	if p.view.Prepared == nil {
		return nil
	}
	for _, st := range p.view.Prepared() {
		b.add("name", st.Name, "statement", st.Statement, "prepare_time", st.PreparedAt.UnixMicro(), "parameter_types", st.ParamTypes,
			"from_sql", st.FromSQL, "generic_plans", 0, "custom_plans", 0)
	}
	return nil
}
