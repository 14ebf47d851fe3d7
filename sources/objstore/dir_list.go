package objstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// List implements Bucket. It gives no tags: each would read the object.
func (d *Dir) List(ctx context.Context, prefix, after string, limit int) ([]Info, error) {
	l := &listing{dir: d, prefix: prefix, after: after, limit: limit}
	if err := l.walk(ctx, ""); err != nil {
		return nil, fmt.Errorf("list objects %q: %w", prefix, err)
	}
	return l.found, nil
}

// listing is one List under way.
type listing struct {
	dir           *Dir
	prefix, after string
	limit         int
	found         []Info
}

// walk lists a folder, given by the beginning that its keys share: "" or one that ends in a slash.
func (l *listing) walk(ctx context.Context, folder string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := l.dir.fs.ReadDir(filepath.Join(l.dir.root, filepath.FromSlash(folder)))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	// ReadDir sorts by name; in key order a folder stands where its name and a slash do.
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(sortName(a), sortName(b)) })
	for _, entry := range entries {
		if len(l.found) >= l.limit {
			return nil
		}
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		key := folder + sortName(entry)
		if entry.IsDir() {
			err = l.visit(ctx, key)
		} else {
			err = l.add(key, entry)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sortName(entry fs.DirEntry) string {
	if entry.IsDir() {
		return entry.Name() + "/"
	}
	return entry.Name()
}

// visit walks a folder if keys in it can be wanted.
func (l *listing) visit(ctx context.Context, folder string) error {
	wanted := strings.HasPrefix(folder, l.prefix) || strings.HasPrefix(l.prefix, folder)
	passed := folder < l.after && !strings.HasPrefix(l.after, folder)
	if !wanted || passed {
		return nil
	}
	return l.walk(ctx, folder)
}

func (l *listing) add(key string, entry fs.DirEntry) error {
	if !strings.HasPrefix(key, l.prefix) || key <= l.after || !entry.Type().IsRegular() {
		return nil
	}
	stat, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	l.found = append(l.found, Info{Key: key, Size: stat.Size(), Modified: stat.ModTime()})
	return nil
}
