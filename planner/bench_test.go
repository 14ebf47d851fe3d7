package planner_test

import "testing"

// BenchmarkPlan parses, binds, prunes and pins a dashboard's query: what a
// statement costs before the engine sees it.
func BenchmarkPlan(b *testing.B) {
	w := newWorld(b)
	run(b, w.session, `CREATE TABLE weather (station text, temperature double precision, humidity integer);
		SELECT fieldgate.add_alias('weather', 'temperature', 'temp_f', '(value - 32) * 5 / 9')`)
	const sql = `SELECT date_trunc('hour', timestamp) AS hour, station, avg(temperature), max(humidity) FROM weather
		WHERE timestamp >= now() - interval '1 day' AND station = 'a' GROUP BY 1, 2 ORDER BY 1`
	b.ReportAllocs()
	for b.Loop() {
		statements, err := w.session.Parse(b.Context(), sql)
		if err != nil {
			b.Fatal(err)
		}
		r, err := w.session.Run(b.Context(), statements[0])
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Rows.Close(); err != nil {
			b.Fatal(err)
		}
		w.engine.calls = w.engine.calls[:0]
	}
}
