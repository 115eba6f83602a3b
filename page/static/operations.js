// Made from page/operations.graphql by make generate; do not edit.

export const VIEWER = `query Viewer {
  now
  viewer {
    name
    role
    permissions
    account {
      id
      number
      name
      kind
    }
  }
}`;

export const HOME = `query Home ($orders: Int, $afterOrders: String, $payments: Int, $afterPayments: String, $transactions: Int, $afterTransactions: String) {
  now
  balance {
    ... Figures
  }
  ... Orders
  ... Payments
  ... Transactions
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Figures on Balance {
  available {
    ... Sum
  }
  frozen {
    ... Sum
  }
  total {
    ... Sum
  }
  credit {
    available {
      ... Sum
    }
    limit {
      ... Sum
    }
  }
  version
}
fragment Progress on Payment {
  id
  number
  purpose
  status
  version
  createdAt
  expiresAt
  completedAt
  amount {
    ... Sum
  }
  parts {
    kind
    channel
  }
  orders {
    id
    number
  }
  failure {
    message
    remedy
  }
  nextAction {
    __typename
    ... on ScanQrCode {
      content
      imageUrl
    }
    ... on Redirect {
      url
      method
      fields {
        name
        value
      }
    }
  }
  timeline {
    at
    status
    note
    version
  }
}
fragment Orders on Query {
  orders(filter: {statuses:[PENDING_PAYMENT]}, first: $orders, after: $afterOrders) {
    nodes {
      id
      number
      productType
      amountDue {
        ... Sum
      }
      expiresAt
      items {
        id
        name
        specification
      }
      linkedOrders {
        id
        number
        amountDue {
          ... Sum
        }
      }
      payability {
        payable
        code
        message
      }
      activePayment {
        id
      }
    }
    pageInfo {
      ... Next
    }
  }
}
fragment Payments on Query {
  payments(first: $payments, after: $afterPayments) {
    nodes {
      ... Progress
    }
    pageInfo {
      ... Next
    }
  }
}
fragment Transactions on Query {
  transactions(first: $transactions, after: $afterTransactions) {
    nodes {
      id
      kind
      amount {
        ... Sum
      }
      balanceAfter {
        ... Sum
      }
      postedAt
      note
      payment {
        id
        number
      }
      order {
        number
      }
    }
    pageInfo {
      ... Next
    }
  }
}
fragment Next on PageInfo {
  hasNextPage
  endCursor
}`;

export const MORE_ORDERS = `query MoreOrders ($orders: Int, $afterOrders: String) {
  ... Orders
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Orders on Query {
  orders(filter: {statuses:[PENDING_PAYMENT]}, first: $orders, after: $afterOrders) {
    nodes {
      id
      number
      productType
      amountDue {
        ... Sum
      }
      expiresAt
      items {
        id
        name
        specification
      }
      linkedOrders {
        id
        number
        amountDue {
          ... Sum
        }
      }
      payability {
        payable
        code
        message
      }
      activePayment {
        id
      }
    }
    pageInfo {
      ... Next
    }
  }
}
fragment Next on PageInfo {
  hasNextPage
  endCursor
}`;

export const MORE_PAYMENTS = `query MorePayments ($payments: Int, $afterPayments: String) {
  ... Payments
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Progress on Payment {
  id
  number
  purpose
  status
  version
  createdAt
  expiresAt
  completedAt
  amount {
    ... Sum
  }
  parts {
    kind
    channel
  }
  orders {
    id
    number
  }
  failure {
    message
    remedy
  }
  nextAction {
    __typename
    ... on ScanQrCode {
      content
      imageUrl
    }
    ... on Redirect {
      url
      method
      fields {
        name
        value
      }
    }
  }
  timeline {
    at
    status
    note
    version
  }
}
fragment Payments on Query {
  payments(first: $payments, after: $afterPayments) {
    nodes {
      ... Progress
    }
    pageInfo {
      ... Next
    }
  }
}
fragment Next on PageInfo {
  hasNextPage
  endCursor
}`;

export const MORE_TRANSACTIONS = `query MoreTransactions ($transactions: Int, $afterTransactions: String) {
  ... Transactions
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Transactions on Query {
  transactions(first: $transactions, after: $afterTransactions) {
    nodes {
      id
      kind
      amount {
        ... Sum
      }
      balanceAfter {
        ... Sum
      }
      postedAt
      note
      payment {
        id
        number
      }
      order {
        number
      }
    }
    pageInfo {
      ... Next
    }
  }
}
fragment Next on PageInfo {
  hasNextPage
  endCursor
}`;

export const TOP_UP_OPTIONS = `query TopUpOptions {
  topUpOptions {
    channels {
      channel
      name
      available
      reason
      minimum {
        ... Sum
      }
      maximum {
        ... Sum
      }
      wholeUnitsOnly
      banks {
        code
        name
      }
      displays
      cardField {
        provider
        publishableKey
        url
      }
    }
    suggested {
      ... Sum
    }
    lastAmount {
      ... Sum
    }
  }
}
fragment Sum on Money {
  amount
  currency
  formatted
}`;

export const START_TOP_UP = `mutation StartTopUp ($input: TopUpInput!) {
  result: topUp(input: $input) {
    payment {
      ... Progress
    }
    errors {
      ... Problem
    }
  }
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Progress on Payment {
  id
  number
  purpose
  status
  version
  createdAt
  expiresAt
  completedAt
  amount {
    ... Sum
  }
  parts {
    kind
    channel
  }
  orders {
    id
    number
  }
  failure {
    message
    remedy
  }
  nextAction {
    __typename
    ... on ScanQrCode {
      content
      imageUrl
    }
    ... on Redirect {
      url
      method
      fields {
        name
        value
      }
    }
  }
  timeline {
    at
    status
    note
    version
  }
}
fragment Problem on UserError {
  code
  message
  field
  ... on InsufficientBalance {
    shortfall {
      ... Sum
    }
  }
  ... on OrdersNotPayable {
    blocked {
      code
      message
      order {
        number
      }
    }
  }
}`;

export const START_PAYMENT = `mutation StartPayment ($input: PayInput!) {
  result: pay(input: $input) {
    payment {
      ... Progress
    }
    errors {
      ... Problem
    }
  }
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Progress on Payment {
  id
  number
  purpose
  status
  version
  createdAt
  expiresAt
  completedAt
  amount {
    ... Sum
  }
  parts {
    kind
    channel
  }
  orders {
    id
    number
  }
  failure {
    message
    remedy
  }
  nextAction {
    __typename
    ... on ScanQrCode {
      content
      imageUrl
    }
    ... on Redirect {
      url
      method
      fields {
        name
        value
      }
    }
  }
  timeline {
    at
    status
    note
    version
  }
}
fragment Problem on UserError {
  code
  message
  field
  ... on InsufficientBalance {
    shortfall {
      ... Sum
    }
  }
  ... on OrdersNotPayable {
    blocked {
      code
      message
      order {
        number
      }
    }
  }
}`;

export const CANCEL_PAYMENT = `mutation CancelPayment ($input: CancelPaymentInput!) {
  result: cancelPayment(input: $input) {
    payment {
      ... Progress
    }
    errors {
      ... Problem
    }
  }
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Progress on Payment {
  id
  number
  purpose
  status
  version
  createdAt
  expiresAt
  completedAt
  amount {
    ... Sum
  }
  parts {
    kind
    channel
  }
  orders {
    id
    number
  }
  failure {
    message
    remedy
  }
  nextAction {
    __typename
    ... on ScanQrCode {
      content
      imageUrl
    }
    ... on Redirect {
      url
      method
      fields {
        name
        value
      }
    }
  }
  timeline {
    at
    status
    note
    version
  }
}
fragment Problem on UserError {
  code
  message
  field
  ... on InsufficientBalance {
    shortfall {
      ... Sum
    }
  }
  ... on OrdersNotPayable {
    blocked {
      code
      message
      order {
        number
      }
    }
  }
}`;

export const WATCH_PAYMENT = `subscription WatchPayment ($id: ID!) {
  payment: paymentStatus(paymentId: $id) {
    ... Progress
  }
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Progress on Payment {
  id
  number
  purpose
  status
  version
  createdAt
  expiresAt
  completedAt
  amount {
    ... Sum
  }
  parts {
    kind
    channel
  }
  orders {
    id
    number
  }
  failure {
    message
    remedy
  }
  nextAction {
    __typename
    ... on ScanQrCode {
      content
      imageUrl
    }
    ... on Redirect {
      url
      method
      fields {
        name
        value
      }
    }
  }
  timeline {
    at
    status
    note
    version
  }
}`;

export const WATCH_BALANCE = `subscription WatchBalance {
  balance: balanceChanged {
    ... Figures
  }
}
fragment Sum on Money {
  amount
  currency
  formatted
}
fragment Figures on Balance {
  available {
    ... Sum
  }
  frozen {
    ... Sum
  }
  total {
    ... Sum
  }
  credit {
    available {
      ... Sum
    }
    limit {
      ... Sum
    }
  }
  version
}`;
