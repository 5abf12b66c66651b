package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// manifests are templates of what an intent is rendered to, by component and file name. In them, the words of
// `placeholders` stand for what an intent changes.
type manifests struct {
	templates map[string]map[string]string
}

const (
	namePlaceholder      = "@NAME@"
	namespacePlaceholder = "@NAMESPACE@"
	sentencePlaceholder  = "@SENTENCE@"
	replicasPlaceholder  = "@REPLICAS@"
	memoryPlaceholder    = "@MEMORY@"
	digestPlaceholder    = "@DIGEST@"
	uidPlaceholder       = "@UID@"
)

type rendering struct {
	files  map[string]string
	digest string
}

// readManifests reads `folder/<component>/<file>`.
func readManifests(folder string) (*manifests, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no templates: expected <component>/<file>", folder)
	}
	read := &manifests{map[string]map[string]string{}}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		component := filepath.Base(filepath.Dir(path))
		if read.templates[component] == nil {
			read.templates[component] = map[string]string{}
		}
		read.templates[component][filepath.Base(path)] = string(content)
	}
	return read, nil
}

// render is what an intent comes to, each file with the digest of all of them.
func (m *manifests) render(intent *NetworkIntent) rendering {
	name := component(intent)
	values := strings.NewReplacer(
		namePlaceholder, intent.Name,
		namespacePlaceholder, intent.Namespace,
		sentencePlaceholder, intent.Spec.Intent,
		replicasPlaceholder, strconv.FormatInt(intent.Status.Interpretation.Replicas[name], 10),
		memoryPlaceholder, memory(intent.Spec.Intent),
		uidPlaceholder, string(intent.UID),
	)
	files := map[string]string{}
	var parts []string
	for file, template := range m.templates[name] {
		files[file] = values.Replace(template)
	}
	for file, content := range files {
		parts = append(parts, file+"\x00"+content)
	}
	slices.Sort(parts)
	digest := hashed(parts...)
	for file, content := range files {
		files[file] = strings.ReplaceAll(content, digestPlaceholder, digest)
	}
	return rendering{files, digest}
}

// memory is the word before "memory" in a sentence.
func memory(sentence string) string {
	words := strings.Fields(sentence)
	if place := slices.Index(words, "memory"); place > 0 {
		return words[place-1]
	}
	return ""
}
