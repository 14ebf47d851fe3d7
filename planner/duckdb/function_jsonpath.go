package duckdb

import (
	"errors"

	"github.com/jackc/pgerrcode"
)

// runPath runs the path that is argument 1 over the jsonb that is argument 0, with the variables and the silence of
// arguments 2 and 3 if there are such, and the zone of argument 4. Without values it only looks whether there is one.
// Not ok: a silent run came upon what it could not use; what it had found by then stays.
func (c *call) runPath(values found) (hit, ok bool, err error) {
	path, err := memoized(c, c.text(1), compilePath)
	if err != nil {
		return false, false, err
	}
	r := &pathRun{
		path: path, vars: "{}", root: pathValue{text: c.text(0)}, last: -1, lenient: !path.Strict, silent: true, objects: 1,
	}
	r.current, r.base.text = r.root, r.root.text
	if c.args > 2 {
		r.vars, r.silent = c.text(2), c.boolean(3)
		r.objects = 2
		if kindOfJSON(r.vars) != "object" {
			e := errorf(pgerrcode.InvalidParameterValue, `"vars" argument is not an object`)
			e.Detail = `Jsonpath parameters should be encoded as key-value pairs of "vars" object.`
			return false, false, e
		}
	}
	if c.args > 4 {
		r.zoned = true
		if r.zone, err = c.zone(4); err != nil {
			return false, false, err
		}
	}
	if values == nil && path.Strict { // all of it has to be without an error
		values = &[]pathValue{}
	}
	hit, err = r.item(path.Root, r.root, values, !path.Strict)
	if errors.Is(err, errPathSilent) {
		return hit, false, nil
	}
	return hit, err == nil, err
}

func pathExists(c *call) error {
	hit, ok, err := c.runPath(nil)
	if ok {
		c.setBool(hit)
	}
	return err
}

func pathMatch(c *call) error {
	var values []pathValue
	_, _, err := c.runPath(&values)
	if err != nil {
		return err
	}
	if len(values) == 1 {
		switch values[0].kind() {
		case "boolean":
			c.setBool(values[0].text == "true")
			return nil
		case "null":
			return nil
		}
	}
	if c.args > 2 && !c.boolean(3) {
		return errorf(pgerrcode.SingletonSQLJSONItemRequired, "single boolean result is expected")
	}
	return nil
}

// pathQuery gives what a path finds to a function that sets the result.
func pathQuery(set func(c *call, values []pathValue)) func(c *call) error {
	return func(c *call) error {
		var values []pathValue
		_, _, err := c.runPath(&values)
		if err == nil {
			set(c, values)
		}
		return err
	}
}

// pathFunctions run jsonpaths. Those with a zone compare times with and without one.
func pathFunctions() definitions {
	all := definitions{
		"fg_jsonb_path_exists(VARCHAR, VARCHAR) BOOLEAN": pathExists,
		"fg_jsonb_path_match(VARCHAR, VARCHAR) BOOLEAN":  pathMatch,
	}
	for _, zone := range []string{"", ", VARCHAR"} {
		args := "(VARCHAR, VARCHAR, VARCHAR, BOOLEAN" + zone + ") "
		all["fg_jsonb_path_exists"+args+"BOOLEAN"] = pathExists
		all["fg_jsonb_path_match"+args+"BOOLEAN"] = pathMatch
		all["fg_jsonb_path_query"+args+"VARCHAR[]"] = pathQuery(func(c *call, values []pathValue) {
			list := make([][]byte, len(values))
			for i, v := range values {
				list[i] = []byte(v.json())
			}
			c.setList(list)
		})
		all["fg_jsonb_path_query_array"+args+"VARCHAR"] = pathQuery(func(c *call, values []pathValue) {
			parts := make([]jsonPart, len(values))
			for i, v := range values {
				parts[i].value = v.json()
			}
			c.setText(joinParts("array", parts, ", ", ": "))
		})
		all["fg_jsonb_path_query_first"+args+"VARCHAR"] = pathQuery(func(c *call, values []pathValue) {
			if len(values) > 0 {
				c.setText(values[0].json())
			}
		})
	}
	return all
}
