package duckdb

import "github.com/fieldgate/fieldgate/schema/postgres"

// formatFunctions format and read values by templates.
func formatFunctions() definitions {
	moments := func(read func(c *call) (m moment, ok bool, err error), template int) func(c *call) error {
		return func(c *call) error {
			m, ok, err := read(c)
			if err != nil || !ok || c.text(template) == "" {
				return err // of an infinite time, and by an empty template, NULL
			}
			text, err := formatMoment(&m, c.text(template))
			if err == nil {
				c.setText(text)
			}
			return err
		}
	}
	return definitions{
		"fg_to_char(TIMESTAMP, VARCHAR) VARCHAR": moments(func(c *call) (moment, bool, error) {
			t := c.timestamp(0)
			if isInfinite(t) {
				return moment{}, false, nil
			}
			return momentOf(t), true, nil
		}, 1),
		"fg_to_char(TIMESTAMP, VARCHAR, VARCHAR) VARCHAR": moments(func(c *call) (moment, bool, error) {
			t := c.timestamp(0)
			zone, err := c.zone(2)
			if err != nil || isInfinite(t) {
				return moment{}, false, err
			}
			return momentInZone(t, zone), true, nil
		}, 1),
		"fg_to_char(INTERVAL, VARCHAR) VARCHAR": moments(func(c *call) (moment, bool, error) {
			return momentOfSpan(c.interval(0)), true, nil
		}, 1),
		"fg_number_to_char(VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			t, err := memoized(c, c.text(1), parseNumberTemplate)
			if err != nil {
				return err
			}
			c.setText(t.format(c.decimal(0)))
			return nil
		},
		"fg_to_number(VARCHAR, VARCHAR) VARCHAR": func(c *call) error {
			if c.text(1) == "" {
				return nil
			}
			t, err := memoized(c, c.text(1), parseNumberTemplate)
			if err != nil {
				return err
			}
			d, err := toNumber(t, c.text(0))
			if err == nil {
				c.setDecimal(d)
			}
			return err
		},
		"fg_float8_to_char(DOUBLE, VARCHAR) VARCHAR": func(c *call) error { return floatToChar(c, c.float8(0), float8DecimalDigits) },
		"fg_float4_to_char(FLOAT, VARCHAR) VARCHAR":  func(c *call) error { return floatToChar(c, float64(arg[float32](c, 0)), float4DecimalDigits) },
		"fg_to_date(VARCHAR, VARCHAR) DATE": func(c *call) error {
			t, _, err := readMoment(c.text(0), c.text(1))
			if err == nil {
				c.setDate(floorDiv(t, microsPerDay))
			}
			return err
		},
		"fg_to_timestamp(VARCHAR, VARCHAR, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := postgres.LoadZone(c.text(2))
			if err != nil {
				return err
			}
			t, instant, err := readMoment(c.text(0), c.text(1))
			if err != nil {
				return err
			}
			if !instant {
				t = instantOf(t, zone)
			}
			c.setTimestamp(t)
			return nil
		},
	}
}

func floatToChar(c *call, f float64, digits int) error {
	t, err := memoized(c, c.text(1), parseNumberTemplate)
	if err != nil {
		return err
	}
	c.setText(t.formatFloat(f, digits))
	return nil
}

// addFormats: templates of dates and numbers.
func (t *tables) addFormats() {
	t.functionTexts(
		"to_char(timestamp, text)", "fg_to_char($1, $2)", "to_char(timestamptz, text)", "fg_to_char($1, $2, $zone)",
		"to_char(interval, text)", "fg_to_char($1, $2)",
		"to_char(int4, text)", "fg_number_to_char(CAST($1 AS VARCHAR), $2)", "to_char(int8, text)", "fg_number_to_char(CAST($1 AS VARCHAR), $2)",
		"to_char(numeric, text)", "fg_number_to_char($1, $2)", "to_char(float8, text)", "fg_float8_to_char($1, $2)",
		"to_char(float4, text)", "fg_float4_to_char($1, $2)",
		"to_number(text, text)", "fg_to_number($1, $2)", "to_date(text, text)", "fg_to_date($1, $2)", "to_timestamp(text, text)", "fg_to_timestamp($1, $2, $zone)",
	)
}
