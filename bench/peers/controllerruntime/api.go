package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

var groupVersion = schema.GroupVersion{Group: "nephoran.com", Version: "v1"}

func addToScheme(to *runtime.Scheme) error {
	builder := &scheme.Builder{GroupVersion: groupVersion}
	builder.Register(&NetworkIntent{}, &NetworkIntentList{}, &E2NodeSet{}, &E2NodeSetList{})
	return builder.AddToScheme(to)
}

// NetworkIntent is the kind as far as a controller that carries it out has to know it.
type NetworkIntent struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   NetworkIntentSpec   `json:"spec"`
	Status NetworkIntentStatus `json:"status,omitzero"`
}

type NetworkIntentSpec struct {
	Intent string `json:"intent"`
}

type NetworkIntentStatus struct {
	ObservedGeneration int64               `json:"observedGeneration,omitempty"`
	Phase              string              `json:"phase,omitempty"`
	LastMessage        string              `json:"lastMessage,omitempty"`
	LastUpdateTime     *metav1.Time        `json:"lastUpdateTime,omitempty"`
	Interpretation     *Interpretation     `json:"interpretation,omitempty"`
	GitCommitHash      string              `json:"gitCommitHash,omitempty"`
	Digest             string              `json:"digest,omitempty"`
	DeployedComponents []DeployedComponent `json:"deployedComponents,omitempty"`
	Extensions         map[string]string   `json:"extensions,omitempty"`
	Conditions         []metav1.Condition  `json:"conditions,omitempty"`
}

type Interpretation struct {
	Action     string           `json:"action"`
	Components []string         `json:"components,omitempty"`
	Replicas   map[string]int64 `json:"replicas,omitempty"`
}

type DeployedComponent struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type NetworkIntentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NetworkIntent `json:"items"`
}

// E2NodeSet is the kind as far as a controller that carries it out has to know it.
type E2NodeSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   E2NodeSetSpec   `json:"spec"`
	Status E2NodeSetStatus `json:"status,omitzero"`
}

type E2NodeSetSpec struct {
	Replicas         int              `json:"replicas"`
	Template         NodeTemplate     `json:"template,omitzero"`
	RICConfiguration RICConfiguration `json:"ricConfiguration,omitzero"`
}

type NodeTemplate struct {
	Spec NodeSpec `json:"spec,omitzero"`
}

type NodeSpec struct {
	E2InterfaceVersion string `json:"e2InterfaceVersion,omitempty"`
}

type RICConfiguration struct {
	RICEndpoint string `json:"ricEndpoint,omitempty"`
}

type E2NodeSetStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Phase              string             `json:"phase,omitempty"`
	LastUpdateTime     *metav1.Time       `json:"lastUpdateTime,omitempty"`
	Replicas           int                `json:"replicas"`
	Selector           string             `json:"selector,omitempty"`
	ReadyReplicas      int                `json:"readyReplicas"`
	CurrentReplicas    int                `json:"currentReplicas"`
	UpdatedReplicas    int                `json:"updatedReplicas"`
	AvailableReplicas  int                `json:"availableReplicas"`
	States             map[string]int     `json:"states,omitempty"`
	E2NodeStatuses     []NodeStatus       `json:"e2NodeStatuses,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

type NodeStatus struct {
	NodeID         string       `json:"nodeID"`
	State          string       `json:"state"`
	LastHeartbeat  *metav1.Time `json:"lastHeartbeat,omitempty"`
	ConnectedSince *metav1.Time `json:"connectedSince,omitempty"`
}

type E2NodeSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []E2NodeSet `json:"items"`
}
