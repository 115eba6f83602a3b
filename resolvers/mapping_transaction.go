package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

func (v view) transactions(rows []models.Posting) []*model.Transaction {
	out := make([]*model.Transaction, len(rows))
	cohort := &model.Transactions{Members: out}
	for i := range rows {
		out[i] = v.transaction(rows[i])
		out[i].Cohort = cohort
	}
	return out
}

func (v view) transaction(p models.Posting) *model.Transaction {
	return &model.Transaction{
		ID: p.ID.Encode(models.PrefixPosting), Kind: model.TransactionKind(p.Kind), Amount: v.money(p.Amount, p.Currency),
		BalanceAfter: v.money(p.BalanceAfter(), p.Currency), PostedAt: p.PostedAt, Note: messages.Text(v.locale, "transaction."+string(p.Kind), nil),
		AccountID: p.AccountID, PaymentID: p.PaymentID, OrderID: p.OrderID,
	}
}

func (r *Resolver) transactionPage(ctx context.Context, account models.ID, filter *model.TransactionFilter, p page.Page) (*model.TransactionConnection, error) {
	f := transactionFilter(filter)
	list, err := r.s.Ledger.Statement(ctx, account, f, p)
	if err != nil {
		return nil, err
	}
	nodes := r.view(ctx).transactions(list.Items)
	out := &model.TransactionConnection{PageInfo: pageInfo(list), Nodes: nodes}
	if selects(ctx, "edges") {
		out.Edges = edges(list, nodes, func(c string, t *model.Transaction) *model.TransactionEdge {
			return &model.TransactionEdge{Cursor: c, Node: t}
		})
	}
	if selects(ctx, "totalCount") {
		n, err := r.s.Ledger.Count(ctx, account, f)
		if err != nil {
			return nil, err
		}
		out.TotalCount = count(n)
	}
	return out, nil
}

func transactionFilter(f *model.TransactionFilter) (out ledger.Filter) {
	if f == nil {
		return out
	}
	out = ledger.Filter{PostedFrom: f.PostedFrom, PostedTo: f.PostedTo}
	for _, k := range f.Kinds {
		out.Kinds = append(out.Kinds, models.TransactionKind(k))
	}
	return out
}
