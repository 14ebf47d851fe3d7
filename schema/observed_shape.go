package schema

// maxObservedShapes is how many shapes of a dataset's events are remembered. The
// first stay: events that all differ should not cost a shape each.
const maxObservedShapes = 8

// observedShape is the names and kinds of an event's values.
type observedShape []shapeField

type shapeField struct {
	name string
	kind Kind
}

func (s observedShape) matches(values []Value) bool {
	if len(s) != len(values) {
		return false
	}
	for i := range values {
		if v := &values[i]; s[i].kind != v.Kind || s[i].name != v.Name {
			return false
		}
	}
	return true
}

// seenLike says that an event with the same names and kinds was noted.
func (d *observedDataset) seenLike(values []Value) bool {
	shapes := d.shapes.Load()
	if shapes == nil {
		return false
	}
	for _, s := range *shapes {
		if s.matches(values) {
			return true
		}
	}
	return false
}

// rememberShape remembers the names and kinds of an event that was noted, unless
// enough are.
func (d *observedDataset) rememberShape(values []Value) {
	if shapes := d.shapes.Load(); shapes != nil && len(*shapes) >= maxObservedShapes {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var next []observedShape
	if shapes := d.shapes.Load(); shapes != nil {
		next = append(next, *shapes...)
	}
	if len(next) >= maxObservedShapes {
		return
	}
	shape := make(observedShape, len(values))
	for i := range values {
		shape[i] = shapeField{values[i].Name, values[i].Kind}
	}
	next = append(next, shape)
	d.shapes.Store(&next)
}
