package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/reconcile"
	"paydesk/models"
)

// reconciliations shows days; what waits and the reports are read where they are wanted, with one statement each for all.
func (r *Resolver) reconciliations(ctx context.Context, rows []models.Reconciliation, withOpen, withReport bool) ([]*model.Reconciliation, error) {
	var waiting map[models.ID]int64
	var files map[models.ID]models.File
	var err error
	if withOpen {
		if waiting, err = r.s.Reconciliations.Waiting(ctx, rows); err != nil {
			return nil, err
		}
	}
	if withReport {
		if files, err = r.s.Reconciliations.Reports(ctx, rows); err != nil {
			return nil, err
		}
	}
	v, out := r.view(ctx), make([]*model.Reconciliation, len(rows))
	for i, row := range rows {
		out[i] = v.reconciliation(row, waiting[row.ID])
		if f, there := files[row.ID]; there && row.CompletedAt != nil {
			out[i].Report = v.attachment(f)
		}
	}
	return out, nil
}

func (v view) reconciliation(r models.Reconciliation, waiting int64) *model.Reconciliation {
	out := &model.Reconciliation{ID: r.ID.Encode(models.PrefixReconciliation), Channel: model.PaymentChannel(r.Channel), Day: r.Day, Status: model.ReconciliationStatus(r.Status),
		Counts: make([]*model.ReconciliationCount, len(r.Counts)), Open: int(waiting), Runs: int(r.Runs), StartedAt: r.StartedAt, CompletedAt: r.CompletedAt, Note: textOrNil(r.Note)}
	for i, c := range r.Counts {
		out.Counts[i] = &model.ReconciliationCount{Class: model.ReconciliationClass(c.Class), Count: int(c.Count), Amount: v.money(c.Amount, c.Currency)}
	}
	if r.Status == models.ReconciliationRunning {
		out.CompletedAt = nil
	}
	return out
}

// differences shows differences, with their payments where those are wanted: one statement for all.
func (r *Resolver) differences(ctx context.Context, rows []models.Difference, withPayments bool) ([]*model.Difference, error) {
	v, out := r.view(ctx), make([]*model.Difference, len(rows))
	var payments map[models.ID]*model.Payment
	if withPayments {
		ids := make([]models.ID, len(rows))
		for i, row := range rows {
			ids[i] = row.PaymentID
		}
		var err error
		if payments, err = r.paymentsAnywhere(ctx, ids); err != nil {
			return nil, err
		}
	}
	for i, row := range rows {
		out[i] = v.difference(row)
		out[i].Payment = payments[row.PaymentID]
	}
	return out, nil
}

func (v view) difference(d models.Difference) *model.Difference {
	out := &model.Difference{ID: d.ID.Encode(models.PrefixDifference), Channel: model.PaymentChannel(d.Channel), Day: d.Day, Class: model.ReconciliationClass(d.Class),
		IsRefund: d.Kind == models.MovementRefund, Number: d.Number, Reference: textOrNil(d.Reference), OurState: textOrNil(d.OursState), TheirState: textOrNil(d.TheirsState),
		Evidence: d.Evidence, Repaired: d.Repaired, FoundAt: d.FoundAt, ResolvedAt: d.ResolvedAt, Resolution: textOrNil(d.Resolution)}
	if d.Ours != nil {
		m := v.money(*d.Ours, d.Currency)
		out.Ours = &m
	}
	if d.Theirs != nil {
		m := v.money(*d.Theirs, d.Currency)
		out.Theirs = &m
	}
	return out
}

func reconciliationFilter(f *model.ReconciliationFilter) (out reconcile.Filter) {
	if f == nil {
		return out
	}
	out = reconcile.Filter{Channels: channelsOf(f.Channels), From: orZero(f.DayFrom), Before: orZero(f.DayTo)}
	for _, s := range f.Statuses {
		out.Statuses = append(out.Statuses, models.ReconciliationStatus(s))
	}
	return out
}

// differenceFilter is what waits for a person where the client names nothing.
func differenceFilter(f *model.DifferenceFilter) (out reconcile.DifferenceFilter) {
	if f == nil {
		open := true
		return reconcile.DifferenceFilter{Open: &open}
	}
	out = reconcile.DifferenceFilter{Channels: channelsOf(f.Channels), Day: orZero(f.Day), Open: f.Open}
	for _, c := range f.Classes {
		out.Classes = append(out.Classes, models.ReconciliationClass(c))
	}
	return out
}

func channelsOf(in []model.PaymentChannel) (out []models.PaymentChannel) {
	for _, c := range in {
		out = append(out, models.PaymentChannel(c))
	}
	return out
}
