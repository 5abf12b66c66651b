package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const (
	nodeSetFinalizer  = "nephoran.com/e2nodeset-finalizer"
	setLabel          = "nephoran.com/e2-nodeset"
	indexLabel        = "nephoran.com/node-index"
	idLabel           = "nephoran.com/node-id"
	appLabel          = "app"
	app               = "e2-node-simulator"
	versionAnnotation = "nephoran.com/e2-interface-version"
	ricAnnotation     = "nephoran.com/ric-endpoint"
	createdAnnotation = "nephoran.com/created-at"
	configKey         = "e2node-config.json"
	statusKey         = "e2node-status.json"
	defaultVersion    = "v3.0"
	listedNodes       = 50 // that a status done right lists

	pending      = "Pending"
	initializing = "Initializing"
	connected    = "Connected"
)

type ranFunction struct {
	FunctionID  int    `json:"functionId"`
	Revision    int    `json:"revision"`
	Description string `json:"description"`
	OID         string `json:"oid"`
}

var ranFunctions = []ranFunction{
	{1, 1, "Key performance measurements", "1.3.6.1.4.1.53148.1.1.2.2"},
	{2, 1, "RAN control", "1.3.6.1.4.1.53148.1.1.2.3"},
	{3, 1, "Network interfaces", "1.3.6.1.4.1.53148.1.1.2.4"},
}

type nodeConfig struct {
	NodeID             string        `json:"nodeId"`
	E2InterfaceVersion string        `json:"e2InterfaceVersion"`
	RICEndpoint        string        `json:"ricEndpoint"`
	RANFunctions       []ranFunction `json:"ranFunctions"`
	Simulation         simulation    `json:"simulationConfig"`
	CreatedAt          string        `json:"createdAt"`
	UpdatedAt          string        `json:"updatedAt"`
}

type simulation struct {
	UECount           int    `json:"ueCount"`
	TrafficGeneration bool   `json:"trafficGeneration"`
	MetricsInterval   string `json:"metricsInterval"`
	TrafficProfile    string `json:"trafficProfile"`
}

type nodeState struct {
	NodeID              string `json:"nodeId"`
	State               string `json:"state"`
	LastHeartbeat       string `json:"lastHeartbeat,omitempty"`
	ConnectedSince      string `json:"connectedSince,omitempty"`
	ActiveSubscriptions int    `json:"activeSubscriptions"`
	HeartbeatCount      int    `json:"heartbeatCount"`
	StatusUpdatedAt     string `json:"statusUpdatedAt"`
}

func nodeName(set *E2NodeSet, index int) string {
	return fmt.Sprintf("%s-e2node-%d", set.Name, index)
}

func nodeID(set *E2NodeSet, index int) string {
	return fmt.Sprintf("%s-%s-node-%d", set.Namespace, set.Name, index)
}

func nodeLabels(set *E2NodeSet) map[string]string {
	return map[string]string{setLabel: set.Name, appLabel: app}
}

func interfaceVersion(set *E2NodeSet) string {
	if version := set.Spec.Template.Spec.E2InterfaceVersion; version != "" {
		return version
	}
	return defaultVersion
}

// nodeObject is the ConfigMap of one node, owned by its set. `created` (RFC 3339) is what an earlier version of it says.
func nodeObject(set *E2NodeSet, index int, created string) *corev1.ConfigMap {
	now := time.Now().UTC().Format(time.RFC3339)
	if created == "" {
		created = now
	}
	id, version, endpoint := nodeID(set, index), interfaceVersion(set), set.Spec.RICConfiguration.RICEndpoint
	labels := nodeLabels(set)
	labels[idLabel], labels[indexLabel] = id, strconv.Itoa(index)
	config := nodeConfig{
		NodeID: id, E2InterfaceVersion: version, RICEndpoint: endpoint, RANFunctions: ranFunctions,
		Simulation: simulation{UECount: 100, MetricsInterval: "30s", TrafficProfile: "low"},
		CreatedAt:  created, UpdatedAt: now,
	}
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: nodeName(set, index), Namespace: set.Namespace, Labels: labels,
			Annotations: map[string]string{
				versionAnnotation: version, ricAnnotation: endpoint, createdAnnotation: created,
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: groupVersion.String(), Kind: "E2NodeSet", Name: set.Name, UID: set.UID,
				Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
			}},
		},
		Data: map[string]string{
			configKey: text(config), statusKey: text(nodeState{NodeID: id, State: pending, StatusUpdatedAt: now}),
		},
	}
}

// indexOf is the place of a node in its set, -1 for a ConfigMap without one.
func indexOf(labels map[string]string) int {
	index, err := strconv.Atoi(labels[indexLabel])
	if err != nil {
		return -1
	}
	return index
}

func stateOf(node *corev1.ConfigMap) nodeState {
	var state nodeState
	if json.Unmarshal([]byte(node.Data[statusKey]), &state) != nil {
		return nodeState{State: pending}
	}
	return state
}

func text(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err) // these are plain structs
	}
	return string(encoded)
}

// tell writes into the status how many nodes there are and how they fare.
func tell(set *E2NodeSet, nodes []NodeStatus) {
	status := &set.Status
	status.Replicas, status.CurrentReplicas, status.UpdatedReplicas = len(nodes), len(nodes), len(nodes)
	status.Selector = fmt.Sprintf("%s=%s,%s=%s", setLabel, set.Name, appLabel, app)
	status.States = map[string]int{}
	for _, node := range nodes {
		status.States[node.State]++
	}
	status.ReadyReplicas = status.States[connected]
	status.AvailableReplicas = status.ReadyReplicas + status.States[initializing]
	status.E2NodeStatuses = nodes
	message := fmt.Sprintf("%d of %d nodes are connected", status.ReadyReplicas, set.Spec.Replicas)
	if status.ReadyReplicas >= set.Spec.Replicas {
		setCondition(set, "Available", metav1.ConditionTrue, "MinimumReplicasAvailable", message)
		setCondition(set, "Progressing", metav1.ConditionFalse, "ReplicasUpToDate", message)
	} else {
		setCondition(set, "Available", metav1.ConditionFalse, "MinimumReplicasUnavailable", message)
		setCondition(set, "Progressing", metav1.ConditionTrue, "ReplicasNotReady", message)
	}
}

func setCondition(set *E2NodeSet, kind string, value metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&set.Status.Conditions, metav1.Condition{
		Type: kind, Status: value, Reason: reason, Message: message, ObservedGeneration: set.Generation,
	})
}

// missing are the indices below `replicas` that `present` lacks, ascending.
func missing(present []int, replicas int) []int {
	var found []int
	for index := range replicas {
		if !slices.Contains(present, index) {
			found = append(found, index)
		}
	}
	return found
}
