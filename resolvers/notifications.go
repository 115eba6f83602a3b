package resolvers

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"paydesk/graph/model"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Notifications is what the face needs of webhook.Inbox.
type Notifications interface {
	List(ctx context.Context, channels []models.PaymentChannel, verdicts []string, number *string, p page.Page) (page.Result[models.InboxRow], error)
	Count(ctx context.Context, channels []models.PaymentChannel, verdicts []string, number *string) (int64, error)
	ByIDs(ctx context.Context, ids []models.ID) ([]models.InboxRow, error)
}

func (r *Resolver) notificationPage(ctx context.Context, filter *model.NotificationFilter, first *int, after *string, last *int, before *string) (*model.NotificationConnection, error) {
	p, err := page.Parse(first, after, last, before)
	if err != nil {
		return nil, err
	}
	f := orZero(filter)
	channels, verdicts := as[models.PaymentChannel](f.Channels), as[string](f.Verdicts)
	list, err := r.s.Notifications.List(ctx, channels, verdicts, f.Number, p)
	if err != nil {
		return nil, err
	}
	nodes, err := r.notifications(ctx, list.Items, selectsNode(ctx, "payment"))
	if err != nil {
		return nil, err
	}
	out := &model.NotificationConnection{PageInfo: pageInfo(list), Nodes: nodes}
	if selects(ctx, "edges") {
		out.Edges = edges(list, nodes, func(c string, n *model.Notification) *model.NotificationEdge {
			return &model.NotificationEdge{Cursor: c, Node: *n}
		})
	}
	if selects(ctx, "totalCount") {
		n, err := r.s.Notifications.Count(ctx, channels, verdicts, f.Number)
		if err != nil {
			return nil, err
		}
		out.TotalCount = count(n)
	}
	return out, nil
}

// as turns texts of one type into those of another.
func as[To, From ~string](in []From) []To {
	out := make([]To, len(in))
	for i, t := range in {
		out[i] = To(t)
	}
	return out
}

// notifications shows what came, with the payments it names where those are wanted: one statement for all.
func (r *Resolver) notifications(ctx context.Context, rows []models.InboxRow, withPayments bool) ([]*model.Notification, error) {
	var payments map[string]*model.Payment
	if withPayments {
		var numbers []string
		for _, row := range rows {
			if row.Number != "" {
				numbers = append(numbers, row.Number)
			}
		}
		var err error
		if payments, err = r.paymentsByNumber(ctx, numbers); err != nil {
			return nil, err
		}
	}
	out := make([]*model.Notification, len(rows))
	for i, row := range rows {
		out[i] = &model.Notification{ID: row.ID.Encode(models.PrefixNotification), Channel: model.PaymentChannel(row.Channel), Verdict: model.NotificationVerdict(row.Verdict),
			Number: textOrNil(row.Number), Payment: payments[row.Number], Attempts: int(row.Attempts), ReceivedAt: row.ReceivedAt, NextAttemptAt: row.NextAt,
			Headers: headersOf(row), Body: bodyOf(row)}
	}
	return out, nil
}

// headersOf are the headers that prove, by name.
func headersOf(row models.InboxRow) []*model.FormField {
	var kept map[string]string
	_ = json.Unmarshal([]byte(row.Headers), &kept) // the inbox's own; without them the rest is shown all the same
	out := make([]*model.FormField, 0, len(kept))
	for name, value := range kept {
		out = append(out, &model.FormField{Name: name, Value: value})
	}
	slices.SortFunc(out, func(a, b *model.FormField) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func bodyOf(row models.InboxRow) string {
	if utf8.Valid(row.Body) {
		return string(row.Body)
	}
	return base64.StdEncoding.EncodeToString(row.Body)
}

// readNotifications: they belong to operators, whoever else asks is told of none.
func (r *Resolver) readNotifications(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	if v.Role != auth.Operator {
		return nil
	}
	rows, err := r.s.Notifications.ByIDs(ctx, ids)
	if err != nil {
		return err
	}
	all, err := r.notifications(ctx, rows, selects(ctx, "payment"))
	for _, n := range all {
		out[n.ID] = n
	}
	return err
}
