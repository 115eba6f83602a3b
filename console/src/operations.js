// The main job, one tab an operation. Comments say who may run it: the persona is chosen above the editor.

const key = () => crypto.randomUUID();

const balance = `# As CREATOR or FINANCE:
# the balance, and what waits to be paid.
query Home {
  viewer {
    name
    role
    permissions
    account { id number name }
  }
  balance {
    available { formatted }
    frozen { formatted }
    credit { available { formatted } }
    version
  }
  orders(
    filter: { statuses: [PENDING_PAYMENT] }
    first: 5
  ) {
    nodes {
      id
      number
      productType
      amountDue { amount currency formatted }
      payability { payable code message }
    }
    pageInfo { hasNextPage endCursor }
  }
  topUpOptions {
    channels { channel name available reason }
    suggested { formatted }
  }
}
`;

const topUp = `# As CREATOR or FINANCE. In the answer, imageUrl is
# the QR code, content the payer's page (sandbox):
# open it in a new tab, and pay there.
mutation TopUp($input: TopUpInput!) {
  topUp(input: $input) {
    payment {
      id
      number
      status
      version
      expiresAt
      nextAction {
        ... on ScanQrCode { content imageUrl expiresAt }
      }
    }
    errors { code message field }
  }
}
`;

const watch = `# As CREATOR or FINANCE, over the WebSocket: the
# payment now, then with each step, to its end.
# Put the payment's id into the variables.
subscription Watch($paymentId: ID!) {
  paymentStatus(paymentId: $paymentId) {
    status
    version
    completedAt
    timeline { at status note version }
  }
}
`;

const pay = `# As CREATOR or FINANCE: put an order's id and its
# amount from the first tab into the variables.
mutation Pay($input: PayInput!) {
  pay(input: $input) {
    payment {
      id
      number
      status
      amount { formatted }
      parts { kind channel amount { formatted } status }
    }
    errors {
      code
      message
      field
      ... on InsufficientBalance {
        available { formatted }
        required { formatted }
        shortfall { formatted }
      }
      ... on OrdersNotPayable {
        blocked { code message order { number } }
        remaining { number }
      }
    }
  }
}
`;

const statement = `# As CREATOR or FINANCE: the statement, newest first.
query Statement($after: String) {
  transactions(first: 20, after: $after) {
    nodes {
      postedAt
      kind
      amount { formatted }
      balanceAfter { formatted }
      payment { number }
      order { number }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const watchBalance = `# As CREATOR or FINANCE, over the WebSocket: the
# balance now, then after each change.
subscription WatchBalance {
  balanceChanged {
    available { formatted }
    frozen { formatted }
    version
    asOf
  }
}
`;

const place = `# As SERVICE (choose Order centre above): orders are
# placed on an account. The key makes a repeat
# harmless: run it twice, the same orders come back.
mutation Place($input: PlaceOrdersInput!) {
  placeOrders(input: $input) {
    orders { id number status amountDue { formatted } }
    errors { code message field }
  }
}
`;

const select = `# As CREATOR or FINANCE: what ticking an order leads
# to; orders that are linked come and go together.
query Select($input: OrderSelectionInput!) {
  orderSelection(input: $input) {
    orders { id number amountDue { formatted } }
    autoSelected { number }
    autoDeselected { number }
    refused { code message order { number } }
    notice
  }
}
`;

const checkout = `# As CREATOR or FINANCE: the quote for the orders;
# send its total back as expectedTotal.
query Checkout($input: CheckoutInput!) {
  checkout(input: $input) {
    payable
    reasons { code message field }
    blocked { code message order { number } }
    total { amount currency formatted }
    recommendation {
      couponIds
      discountId
      total { formatted }
    }
    funding { kind available reason verification }
    outsideContract { number }
    validUntil
  }
}
`;

const mergePay = `# As CREATOR or FINANCE: several orders, one payment,
# all or none. The walk-through is docs/paying.md.
mutation MergePay($input: MergePayInput!) {
  mergePay(input: $input) {
    payment {
      id
      status
      amount { formatted }
      nextAction {
        ... on ScanQrCode { content imageUrl }
        ... on AwaitPartner { partner { name } expiresAt }
      }
    }
    removed { code order { number } }
    errors {
      code
      message
      field
      ... on OrdersNotPayable {
        blocked { code message order { number } }
        remaining { id number }
      }
      ... on QuoteChanged { checkout { total { amount } } }
      ... on VerificationRequired {
        scene
        deliveries { kind target }
      }
      ... on InsufficientBalance {
        shortfall { formatted }
      }
    }
  }
}
`;

const partnerApprove = `# As PARTNER (choose Zhao Min above): pays what a
# customer asked for, from the partner's balance.
mutation PartnerApprove(
  $input: ApprovePartnerPaymentInput!
) {
  approvePartnerPayment(input: $input) {
    payment {
      id
      status
      amount { formatted }
      account { id number name kind }
    }
    errors {
      code
      message
      ... on InsufficientBalance {
        shortfall { formatted }
      }
    }
  }
}
`;

const refund = `# As OPERATOR: pays back a part of a payment; without
# an amount all that is left.
mutation Refund($input: RefundPaymentInput!) {
  refundPayment(input: $input) {
    payment {
      refunded { formatted }
      refunds { status amount { formatted } reason }
      orders { number status paid { formatted } }
    }
    errors { code message field }
  }
}
`;

// tabs are the editor's tabs at the first visit. An account is put in where an operation names one.
export function tabs(account) {
  const money = (amount) => ({ amount, currency: 'CNY' });
  const order = {
    number: `DEMO-${Date.now().toString(36).toUpperCase()}`, type: 'NEW_PURCHASE', productType: 'ecs',
    items: [{ name: 'Cloud server', specification: '2 vCPU, 4 GiB', quantity: 1, period: '1 month', amount: money('96.00') }],
  };
  const list = [
    [balance],
    [topUp, { input: { idempotencyKey: key(), online: { channel: 'ALIPAY', amount: money('100.00') } } }],
    [watch, { paymentId: 'pay_…' }],
    [pay, { input: { idempotencyKey: key(), orderId: 'ord_…', funding: { balance: money('96.00') } } }],
    [select, { input: { selected: [], add: ['ord_…'] } }],
    [checkout, { input: { orderIds: ['ord_…'] } }],
    [mergePay, { input: { idempotencyKey: key(), orderIds: ['ord_…'], funding: { balance: money('96.00') }, expectedTotal: money('96.00') } }],
    [partnerApprove, { input: { idempotencyKey: key(), paymentId: 'pay_…' } }],
    [refund, { input: { idempotencyKey: key(), paymentId: 'pay_…', amount: money('10.00'), reason: 'Billed for a day too many' } }],
    [statement],
    [watchBalance],
    [place, { input: { idempotencyKey: key(), accountId: account ?? 'acc_…', orders: [order] } }],
  ];
  return list.map(([query, variables]) => ({ query, variables: variables && JSON.stringify(variables, null, 2) }));
}
