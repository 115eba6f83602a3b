// A union, an interface of errors, a fragment on Node, a mutation with a guess of its answer, a subscription.
import { graphql } from 'relay-runtime';

graphql`
  fragment Payment_payment on Payment {
    number
    status
    version
    nextAction {
      __typename
      ... on ScanQrCode {
        content
        imageUrl
        expiresAt
      }
      ... on Redirect {
        url
        method
        fields {
          name
          value
        }
      }
      ... on AwaitPartner {
        expiresAt
      }
    }
    failure {
      code
      message
    }
    completedAt
  }
`;

graphql`
  fragment Payment_error on UserError {
    __typename
    code
    message
    field
    ... on InsufficientBalance {
      shortfall {
        formatted
      }
    }
    ... on VerificationRequired {
      scene
      deliveries {
        kind
        target
      }
    }
  }
`;

graphql`
  mutation PaymentPayMutation($input: PayInput!) @raw_response_type {
    pay(input: $input) {
      payment {
        ...Payment_payment
      }
      errors {
        ...Payment_error
      }
    }
  }
`;

graphql`
  subscription PaymentStatusSubscription($id: ID!) {
    paymentStatus(paymentId: $id) {
      ...Payment_payment
    }
  }
`;

graphql`
  query PaymentNodesQuery($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
      ...Payment_payment @alias(as: "payment")
      ... on PaymentMethod {
        status
        preferred
      }
    }
  }
`;
