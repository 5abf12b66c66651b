package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ric is the near-real-time RIC with which nodes are registered; all sets of a run have the same one.
type ric struct {
	endpoint string
	client   *http.Client
}

func newRIC(endpoint string, parallel int) ric {
	return ric{endpoint, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}}}
}

type registration struct {
	Functions []registeredFunction `json:"ran_functions"`
}

type registeredFunction struct {
	ID          int    `json:"function_id"`
	Revision    int    `json:"function_revision"`
	OID         string `json:"function_oid"`
	Description string `json:"function_description"`
}

type reportedNode struct {
	Name   string `json:"inventoryName"`
	Status string `json:"connectionStatus"`
}

func (r ric) register(ctx context.Context, id string) error {
	_, err := r.send(ctx, http.MethodPost, "/e2ap/v1/nodes/"+url.PathEscape(id)+"/register", functions())
	return err
}

func (r ric) update(ctx context.Context, id string) error {
	_, err := r.send(ctx, http.MethodPut, "/e2ap/v1/nodes/"+url.PathEscape(id)+"/update", functions())
	return err
}

func (r ric) deregister(ctx context.Context, id string) error {
	_, err := r.send(ctx, http.MethodDelete, "/e2ap/v1/nodes/"+url.PathEscape(id)+"/deregister", nil)
	return err
}

// states are the connection states of all nodes by their id.
func (r ric) states(ctx context.Context) (map[string]string, error) {
	body, err := r.send(ctx, http.MethodGet, "/v1/nodeb/states", nil)
	if err != nil {
		return nil, err
	}
	var nodes []reportedNode
	if err := json.Unmarshal(body, &nodes); err != nil {
		return nil, fmt.Errorf("the RIC's states: %w", err)
	}
	states := make(map[string]string, len(nodes))
	for _, node := range nodes {
		states[node.Name] = node.Status
	}
	return states, nil
}

func (r ric) send(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusBadRequest && answer.StatusCode != http.StatusNotFound {
		err = fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return content, err
}

func functions() []byte {
	var body registration
	for _, each := range ranFunctions {
		body.Functions = append(body.Functions, registeredFunction{each.FunctionID, each.Revision, each.OID, each.Description})
	}
	return []byte(text(body))
}
