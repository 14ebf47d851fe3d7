package stores

import (
	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
	"github.com/fieldgate/fieldgate/sources/nearline"
)

// Stages says how stages work on stores. Schemas, Observed, Recent and From must be
// given.
type Stages struct {
	Schemas  *schema.Store
	Observed *schema.Observed
	Profiles *profile.Profiles
	// Recent are the tables of nearline, filled from the checkpoints of consumer From
	// on.
	Recent nearline.Tables
	From   string
	Leases *pipeline.Leases
	Yield  *pipeline.Yield
	Events pipeline.Events
}

// Stages makes the stages over the stores. Nothing runs yet.
func (s *Stores) Stages(o Stages) (d pipeline.Drain, err error) {
	raw, staged, errors := s.Checkpoints(pipeline.LogRaw), s.Checkpoints(pipeline.LogStaged), s.Checkpoints(pipeline.LogErrors)
	d.Raw, err = pipeline.NewRaw(pipeline.RawConfig{
		Raw: s.Raw.Reader(pipeline.ConsumerRaw), Staged: s.Staged, Errors: s.Errors, Checkpoints: raw,
		Schemas: o.Schemas, Observed: o.Observed, Leases: o.Leases, Yield: o.Yield, Events: o.Events, Now: s.now,
		Partition: s.Partition,
	})
	if err != nil {
		return d, err
	}
	d.Staging, err = pipeline.NewStaging(pipeline.StagingConfig{
		Staged: s.Staged.Reader(pipeline.ConsumerStaging), Errors: s.Errors.Reader(pipeline.ConsumerStaging),
		StagedCheckpoints: staged, ErrorsCheckpoints: errors, From: o.From, Tables: o.Recent,
		Observed: o.Observed, Profiles: o.Profiles, Schemas: o.Schemas, Leases: o.Leases, Yield: o.Yield, Events: o.Events, Now: s.now,
	})
	if err != nil {
		return d, err
	}
	d.Delivery, err = pipeline.NewDelivery(pipeline.DeliveryConfig{
		Raw: s.Raw.Reader(pipeline.ConsumerDelivery), Staged: s.Staged.Reader(pipeline.ConsumerDelivery),
		Errors:         s.Errors.Reader(pipeline.ConsumerDelivery),
		RawCheckpoints: raw, StagedCheckpoints: staged, ErrorsCheckpoints: errors,
		Bucket: s.Objects, Leases: o.Leases, Yield: o.Yield, Events: o.Events,
	})
	return d, err
}
