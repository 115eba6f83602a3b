package main

import (
	"context"
	"errors"
	"fmt"

	"paydesk/documents"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/httpapi"
	"paydesk/internal/platform/persisted"
)

// manifests reads the registered documents: our own and those of PAYDESK_PERSISTED_DOCUMENTS.
func (a *app) manifests(context.Context) (err error) {
	path := a.cfg.Persisted.Documents
	if a.given, err = persisted.ReadFile(path); err != nil {
		return config.Unusable("PAYDESK_PERSISTED_DOCUMENTS", path, err)
	}
	return nil
}

func (a *app) persisted() httpapi.Persisted {
	p := a.cfg.Persisted
	return httpapi.Persisted{Only: p.Only, Documents: documents.Registered().Merge(a.given), Cache: p.Cache, TTL: p.TTL}
}

// notServed says why the edge could not be made: where a document of the file is at fault, in the file's terms.
func (a *app) notServed(err error) error {
	var invalid *httpapi.InvalidDocument
	if errors.As(err, &invalid) && a.given[invalid.Hash] != "" {
		return config.Unusable("PAYDESK_PERSISTED_DOCUMENTS", a.cfg.Persisted.Documents, err)
	}
	return fmt.Errorf("the edge: %w", err)
}
