// A list under a thing: a connection of a Node, refetched through node(id), with a filter as part of its identity.
import { graphql } from 'relay-runtime';

graphql`
  fragment Orders_account on Account
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }, filter: { type: "OrderFilter" })
  @refetchable(queryName: "OrdersPaginationQuery") {
    orders(first: $count, after: $cursor, filter: $filter) @connection(key: "Orders_orders", filters: ["filter"]) {
      totalCount
      edges {
        node {
          ...Orders_order
        }
      }
    }
  }
`;

graphql`
  fragment Orders_order on Order @refetchable(queryName: "OrdersOrderRefetchQuery") {
    number
    status
    amountDue {
      amount
      currency
      formatted
    }
    items {
      id
      name
      quantity
    }
    activePayment {
      ...Payment_payment
    }
  }
`;

graphql`
  query OrdersQuery($filter: OrderFilter) {
    viewer {
      name
      permissions
      account {
        ...Orders_account @arguments(count: 10, filter: $filter)
      }
    }
  }
`;

graphql`
  mutation OrdersPlaceMutation($input: PlaceOrdersInput!, $connections: [ID!]!) {
    placeOrders(input: $input) {
      orders @prependNode(connections: $connections, edgeTypeName: "OrderEdge") {
        ...Orders_order
      }
      errors {
        code
        message
        field
      }
    }
  }
`;
