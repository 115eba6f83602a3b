package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/internal/billing/fault"
)

// Extension is what an executor needs beside the schema: the guard of root fields, faults as payload errors, a memo for each
// response. Hand it to Executor.Use.
func (r *Resolver) Extension() graphql.HandlerExtension { return extension{r} }

type extension struct{ r *Resolver }

var (
	_ graphql.RootFieldInterceptor = extension{}
	_ graphql.FieldInterceptor     = extension{}
	_ graphql.ResponseInterceptor  = extension{}
)

func (extension) ExtensionName() string                          { return "paydesk" }
func (extension) Validate(schema graphql.ExecutableSchema) error { return nil }

// InterceptRootField settles who may ask before arguments are read.
func (e extension) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	return e.r.guardRoot(ctx, next)
}

// InterceptResponse gives every response, so every event of a subscription, a memo of its own.
func (e extension) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(withMemo(ctx))
}

// InterceptField is on the way of every field, so it must cost nothing for those read from a struct.
func (e extension) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	if hidden(ctx, fc) {
		return nil, fault.ErrNotFound
	}
	if !fc.IsResolver {
		return next(ctx)
	}
	if err := e.r.guardField(ctx, fc); err != nil {
		return nil, err
	}
	res, err := next(ctx)
	if err != nil {
		return e.r.refused(ctx, fc, err)
	}
	if e.r.Plain {
		return res, nil
	}
	return asPlan(ctx, res), nil
}

// refused turns a fault of a mutation into its payload; any other error goes to the presenter.
func (r *Resolver) refused(ctx context.Context, fc *graphql.FieldContext, err error) (any, error) {
	f := faultOf(err)
	if f == nil || fc.Object != "Mutation" {
		return nil, err
	}
	errors, mapErr := r.userErrors(ctx, f)
	if mapErr != nil {
		return nil, mapErr
	}
	payload, ok := payloads[fc.Field.Name]
	if !ok {
		return nil, err
	}
	return payload(errors), nil
}
