package pipeline

import "context"

// Drain waits for what was acknowledged to pass through the stages, which must
// be running.
type Drain struct {
	Raw      *Raw
	Staging  *Staging
	Delivery *Delivery
}

// Visible returns when every event acknowledged before the call is in nearline,
// as a row or as an error row. At start that says that the tail is rebuilt.
func (d Drain) Visible(ctx context.Context) error {
	if err := d.Raw.Wait(ctx); err != nil {
		return err
	}
	return d.Staging.Wait(ctx)
}

// Archived returns when every event acknowledged before the call is in nearline
// and in the staged or the error archive, where compaction finds it.
func (d Drain) Archived(ctx context.Context) error {
	if err := d.Visible(ctx); err != nil {
		return err
	}
	return d.Delivery.FlushLogs(ctx, LogStaged, LogErrors)
}
