package order

import (
	"context"
	"slices"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// ByNumber finds an order of the account; false where there is none.
func (s *Service) ByNumber(ctx context.Context, account models.ID, number string) (models.Order, bool, error) {
	return one(s.read(ctx, 1, "SELECT "+columns+" FROM orders WHERE account_id = ? AND number = ?", account, number))
}

// ByID finds an order of the account; false where there is none.
func (s *Service) ByID(ctx context.Context, account, id models.ID) (models.Order, bool, error) {
	return one(s.ByIDs(ctx, account, []models.ID{id}))
}

// ByIDs reads the account's orders among ids, in no particular order; what is not there is left out.
func (s *Service) ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Order, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.read(ctx, len(ids), "SELECT "+columns+" FROM orders WHERE account_id = ? AND id IN ("+database.Marks(len(ids))+")", database.Args([]any{account}, ids)...)
}

// ByIDsAnywhere is ByIDs for those who reach any account: OPERATOR and SERVICE.
func (s *Service) ByIDsAnywhere(ctx context.Context, ids []models.ID) ([]models.Order, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.read(ctx, len(ids), "SELECT "+columns+" FROM orders WHERE id IN ("+database.Marks(len(ids))+")", database.Args(nil, ids)...)
}

// ByNumberAnywhere is ByNumber for those who reach any account; numbers are unique in the installation.
func (s *Service) ByNumberAnywhere(ctx context.Context, number string) (models.Order, bool, error) {
	return one(s.read(ctx, 1, "SELECT "+columns+" FROM orders WHERE number = ?", number))
}

// ByPlacement reads the orders that one placeOrders call brought, in its order.
func (s *Service) ByPlacement(ctx context.Context, account, placement models.ID) ([]models.Order, error) {
	return s.read(ctx, 8, "SELECT "+columns+" FROM orders WHERE account_id = ? AND placement_id = ? ORDER BY id", account, placement)
}

// Linked reads the orders of bundles (HW-8), each bundle by id.
func (s *Service) Linked(ctx context.Context, account models.ID, bundles []models.ID) (map[models.ID][]models.Order, error) {
	if len(bundles) == 0 {
		return nil, nil
	}
	rows, err := s.read(ctx, 2*len(bundles), "SELECT "+columns+" FROM orders WHERE account_id = ? AND bundle_id IN ("+database.Marks(len(bundles))+") ORDER BY id",
		database.Args([]any{account}, bundles)...)
	if err != nil {
		return nil, err
	}
	out := make(map[models.ID][]models.Order, len(bundles))
	for _, o := range rows {
		out[o.BundleID] = append(out[o.BundleID], o)
	}
	return out, nil
}

// LinkedTo reads the bundles of these orders: one statement, none where no order is in a bundle.
func (s *Service) LinkedTo(ctx context.Context, account models.ID, orders []models.Order) (map[models.ID][]models.Order, error) {
	var bundles []models.ID
	for i := range orders {
		if b := orders[i].BundleID; !b.IsZero() && !slices.Contains(bundles, b) {
			bundles = append(bundles, b)
		}
	}
	return s.Linked(ctx, account, bundles)
}

func one(rows []models.Order, err error) (models.Order, bool, error) {
	if err != nil || len(rows) == 0 {
		return models.Order{}, false, err
	}
	return rows[0], true, nil
}
