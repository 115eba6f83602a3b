// A connection at the root, refetched through Query, in both directions.
import { graphql } from 'relay-runtime';

graphql`
  fragment Statement_query on Query
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
    filter: { type: "TransactionFilter" }
  )
  @refetchable(queryName: "StatementPaginationQuery") {
    transactions(first: $first, after: $after, last: $last, before: $before, filter: $filter) @connection(key: "Statement_transactions") {
      edges {
        cursor
        node {
          kind
          amount {
            formatted
          }
          balanceAfter {
            formatted
          }
          postedAt
          payment {
            ...Payment_payment
          }
        }
      }
    }
  }
`;

graphql`
  query StatementQuery {
    balance {
      ...Statement_balance
    }
    ...Statement_query @arguments(first: 20)
  }
`;

graphql`
  fragment Statement_balance on Balance {
    available {
      amount
      formatted
    }
    version
  }
`;

graphql`
  subscription StatementBalanceSubscription {
    balanceChanged {
      ...Statement_balance
    }
  }
`;
