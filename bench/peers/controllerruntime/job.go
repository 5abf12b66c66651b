package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	intentFinalizer = "networkintent.nephoran.com/finalizer"
	completed       = "Completed"
)

// phases are the five steps of an intent, by the condition that each of them ends with.
var phases = []struct{ phase, condition, reason string }{
	{"LLMProcessing", "Processed", "LLMProcessingSucceeded"},
	{"ResourcePlanning", "ResourcesPlanned", "ResourcePlanningSucceeded"},
	{"ManifestGeneration", "ManifestsGenerated", "ManifestGenerationSucceeded"},
	{"GitOpsCommit", "GitOpsCommitted", "GitCommitSucceeded"},
	{"DeploymentVerification", "DeploymentVerified", "NotObserved"},
}

// job carries out the phases of an intent: the same work and the same final status whatever the controller's pattern.
// Without a repository the phases do no input or output.
type job struct {
	manifests  *manifests
	repository *repository
	sleep      time.Duration // that the original waits in its last phase
}

// do carries out phase number i and notes its outcome in the intent's status.
func (j *job) do(ctx context.Context, intent *NetworkIntent, i int) error {
	status := &intent.Status
	var message string
	switch i {
	case 0:
		status.Interpretation = interpreted(intent.Spec.Intent)
		message = "understood as: deploy " + component(intent)
	case 1:
		status.DeployedComponents = []DeployedComponent{{Name: component(intent), Type: component(intent)}}
		message = "1 network functions planned"
	case 2:
		status.Digest = j.digest(intent)
		message = "6 files rendered"
	case 3:
		commit, err := j.commit(ctx, intent)
		if err != nil {
			return err
		}
		status.GitCommitHash = commit
		message = "committed as " + commit[:12]
	case 4:
		if err := wait(ctx, j.sleep); err != nil {
			return err
		}
		message = "verified by its commit only"
	}
	value := metav1.ConditionTrue
	if phases[i].reason == "NotObserved" {
		value = metav1.ConditionUnknown
	}
	set(intent, phases[i].condition, value, phases[i].reason, message)
	return nil
}

// all carries out every phase and completes the intent.
func (j *job) all(ctx context.Context, intent *NetworkIntent) error {
	for i := range phases {
		if err := j.do(ctx, intent, i); err != nil {
			return err
		}
	}
	complete(intent)
	return nil
}

// undo removes what the intent has committed.
func (j *job) undo(ctx context.Context, intent *NetworkIntent) error {
	if j.repository == nil {
		return nil
	}
	_, err := j.repository.write(ctx, intent.Namespace, intent.Name, nil)
	return err
}

func complete(intent *NetworkIntent) {
	intent.Status.Phase = completed
	intent.Status.LastMessage = "completed with commit " + intent.Status.GitCommitHash[:12]
	intent.Status.ObservedGeneration = intent.Generation
	set(intent, "Ready", metav1.ConditionTrue, "AllPhasesCompleted", "the manifests are committed")
}

// done tells whether the intent has been carried out as it is written now.
func done(intent *NetworkIntent) bool {
	return intent.Status.Phase == completed && intent.Status.ObservedGeneration == intent.Generation
}

// passed tells whether phase number i has ended for the intent as it is written now.
func passed(intent *NetworkIntent, i int) bool {
	condition := meta.FindStatusCondition(intent.Status.Conditions, phases[i].condition)
	return condition != nil && condition.ObservedGeneration == intent.Generation
}

func set(intent *NetworkIntent, kind string, value metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&intent.Status.Conditions, metav1.Condition{
		Type: kind, Status: value, Reason: reason, Message: message, ObservedGeneration: intent.Generation,
	})
}

// interpreted understands sentences such as "Deploy AMF with 3 replicas and 512Mi memory".
func interpreted(sentence string) *Interpretation {
	meaning := &Interpretation{Action: "deploy", Replicas: map[string]int64{}}
	words := strings.Fields(strings.ToLower(sentence))
	for i, word := range words {
		switch {
		case word == "deploy" && i+1 < len(words):
			meaning.Components = []string{words[i+1]}
		case word == "replicas" && i > 0 && len(meaning.Components) > 0:
			if count, err := strconv.ParseInt(words[i-1], 10, 64); err == nil {
				meaning.Replicas[meaning.Components[0]] = count
			}
		}
	}
	return meaning
}

func component(intent *NetworkIntent) string {
	if meaning := intent.Status.Interpretation; meaning != nil && len(meaning.Components) > 0 {
		return meaning.Components[0]
	}
	return "unknown"
}

func (j *job) digest(intent *NetworkIntent) string {
	if j.manifests != nil {
		return j.manifests.render(intent).digest
	}
	return hashed(intent.Namespace, intent.Name, intent.Spec.Intent)
}

func (j *job) commit(ctx context.Context, intent *NetworkIntent) (string, error) {
	if j.repository == nil {
		return hashed(intent.Status.Digest)[:40], nil
	}
	return j.repository.write(ctx, intent.Namespace, intent.Name, j.manifests.render(intent).files)
}

func hashed(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// wait returns after that long, or with an error when the context ends.
func wait(ctx context.Context, duration time.Duration) error {
	if duration == 0 {
		return nil
	}
	select {
	case <-time.After(duration):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", ctx.Err())
	}
}
