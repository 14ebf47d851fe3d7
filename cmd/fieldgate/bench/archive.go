package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/record"
)

// archiveWithin is how long an event may take until the archive has it.
const archiveWithin = time.Minute

// archiveWait is how long the events of a staged archive took to get there.
type archiveWait struct {
	most    time.Duration // of the first event in any object
	objects int
	events  int64
}

// awaitArchive waits until the staged archive has that many events.
func awaitArchive(ctx context.Context, s *server, events int64) (archiveWait, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*archiveWithin)
	defer cancel()
	for {
		w, err := readArchive(s)
		if err != nil || w.events >= events {
			return w, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return w, fmt.Errorf("%d of %d events are archived: %w", w.events, events, err)
		}
	}
}

// readArchive compares when each object was written with when its oldest event
// was received, by its summary.
func readArchive(s *server) (w archiveWait, err error) {
	root := filepath.Join(s.objects(), filepath.FromSlash(record.ArchivePrefix(record.StageStaged)))
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was archived yet
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		summary, err := summaryOf(path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		w.objects++
		w.events += summary.Events
		for _, d := range summary.Datasets {
			w.most = max(w.most, info.ModTime().Sub(time.UnixMicro(d.OldestReceivedAt)))
		}
		return nil
	})
	return w, err
}

func summaryOf(path string) (summary record.Summary, err error) {
	f, err := os.Open(path)
	if err != nil {
		return summary, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := record.NewStagedReader(f)
	if err != nil {
		return summary, err
	}
	defer r.Close()
	return r.Summary(), nil
}
