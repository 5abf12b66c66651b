package main

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// DeepCopyObject is what the cache hands out copies with.
func (in *NetworkIntent) DeepCopyObject() runtime.Object {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status = in.Status.copied()
	return &out
}

func (in *NetworkIntentStatus) copied() NetworkIntentStatus {
	out := *in
	out.LastUpdateTime = in.LastUpdateTime.DeepCopy()
	if in.Interpretation != nil {
		out.Interpretation = &Interpretation{
			Action:     in.Interpretation.Action,
			Components: slices.Clone(in.Interpretation.Components),
			Replicas:   maps.Clone(in.Interpretation.Replicas),
		}
	}
	out.DeployedComponents = slices.Clone(in.DeployedComponents)
	out.Extensions = maps.Clone(in.Extensions)
	out.Conditions = copiedConditions(in.Conditions)
	return out
}

// DeepCopyObject is what the cache hands out copies with.
func (in *NetworkIntentList) DeepCopyObject() runtime.Object {
	out := *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]NetworkIntent, len(in.Items))
	for i := range in.Items {
		out.Items[i] = *in.Items[i].DeepCopyObject().(*NetworkIntent)
	}
	return &out
}

// DeepCopyObject is what the cache hands out copies with.
func (in *E2NodeSet) DeepCopyObject() runtime.Object {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.LastUpdateTime = in.Status.LastUpdateTime.DeepCopy()
	out.Status.States = maps.Clone(in.Status.States)
	out.Status.E2NodeStatuses = slices.Clone(in.Status.E2NodeStatuses)
	for i, each := range in.Status.E2NodeStatuses {
		out.Status.E2NodeStatuses[i].LastHeartbeat = each.LastHeartbeat.DeepCopy()
		out.Status.E2NodeStatuses[i].ConnectedSince = each.ConnectedSince.DeepCopy()
	}
	out.Status.Conditions = copiedConditions(in.Status.Conditions)
	return &out
}

// DeepCopyObject is what the cache hands out copies with.
func (in *E2NodeSetList) DeepCopyObject() runtime.Object {
	out := *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]E2NodeSet, len(in.Items))
	for i := range in.Items {
		out.Items[i] = *in.Items[i].DeepCopyObject().(*E2NodeSet)
	}
	return &out
}

func copiedConditions(in []metav1.Condition) []metav1.Condition {
	out := slices.Clone(in)
	for i := range in {
		in[i].DeepCopyInto(&out[i])
	}
	return out
}
