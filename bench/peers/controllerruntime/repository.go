package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// repository commits and pushes the directories of intents by the git command, one writer for all. With `group` all
// that wait share one commit and one push; without, each intent has its own.
type repository struct {
	folder  string
	group   bool
	changes chan change
}

type change struct {
	directory string
	files     map[string]string // none: the directory goes
	outcome   chan outcome
}

type outcome struct {
	commit string
	err    error
}

const waitingChanges = 4096

// clone makes a repository in `folder` of the remote at `url`.
func clone(url, folder string, group bool) (*repository, error) {
	made := &repository{folder: folder, group: group, changes: make(chan change, waitingChanges)}
	if output, err := exec.Command("git", "clone", "--quiet", url, folder).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("git clone: %w: %s", err, output)
	}
	for _, setting := range [][2]string{{"user.name", "peer"}, {"user.email", "peer@example.com"}, {"gc.auto", "0"}} {
		if _, err := made.git("config", setting[0], setting[1]); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// Start writes until the context ends.
func (r *repository) Start(ctx context.Context) error {
	for {
		select {
		case first := <-r.changes:
			batch := []change{first}
			for r.group && len(r.changes) > 0 {
				batch = append(batch, <-r.changes)
			}
			commit, err := r.commit(batch)
			for _, each := range batch {
				each.outcome <- outcome{commit, err}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// write makes the intent's directory hold exactly `files` and returns the pushed commit.
func (r *repository) write(ctx context.Context, namespace, name string, files map[string]string) (string, error) {
	wanted := change{filepath.Join("networkintents", namespace, name), files, make(chan outcome, 1)}
	select {
	case r.changes <- wanted:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case outcome := <-wanted.outcome:
		return outcome.commit, outcome.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (r *repository) commit(batch []change) (string, error) {
	for _, each := range batch {
		if err := r.put(each); err != nil {
			return "", err
		}
	}
	if _, err := r.git("add", "--all", "networkintents"); err != nil {
		return "", err
	}
	subject := fmt.Sprintf("%s and %d more", batch[0].directory, len(batch)-1)
	if _, err := r.git("commit", "--quiet", "--allow-empty", "--message", subject); err != nil {
		return "", err
	}
	if _, err := r.git("push", "--quiet", "origin", "HEAD:main"); err != nil {
		return "", err
	}
	return r.git("rev-parse", "HEAD")
}

func (r *repository) put(wanted change) error {
	folder := filepath.Join(r.folder, wanted.directory)
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	// git keeps no empty folder, but `add` needs the one above them to be there.
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	if len(wanted.files) == 0 {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, content := range wanted.files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (r *repository) git(arguments ...string) (string, error) {
	command := exec.Command("git", arguments...)
	command.Dir = r.folder
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", arguments[0], err, output)
	}
	return strings.TrimSpace(string(output)), nil
}
