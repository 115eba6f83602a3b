package verification

import "context"

// Enrolled reports whether a person has an authenticator app bound; one that was only begun does not count.
func (s *Service) Enrolled(ctx context.Context, user string) (bool, error) {
	a, found, err := s.authenticator(ctx, user)
	return found && len(a.Secret) > 0, err
}
