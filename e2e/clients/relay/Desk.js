// What Relay's compiler reads; nothing of it runs. Where an application has babel-plugin-relay put the compiled artifacts in
// the templates' places, relay.mjs loads them by name.
import { graphql } from 'relay-runtime';

graphql`query DeskHomeQuery { viewer { name role account { id number } } balance { id available { amount } version } }`;

graphql`query DeskOrdersQuery($first: Int!) { viewer { account { id ...Desk_account @arguments(count: $first) } } }`;

graphql`
  fragment Desk_account on Account
  @refetchable(queryName: "DeskOrdersPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
    orders(first: $count, after: $cursor) @connection(key: "Desk_orders") { edges { node { id number status } } }
  }
`;

graphql`
  fragment Desk_payment on Payment @inline {
    id number status version expiresAt
    nextAction { __typename ... on ScanQrCode { content imageUrl } }
    timeline { status version }
  }
`;

graphql`mutation DeskTopUpMutation($input: TopUpInput!) { topUp(input: $input) { payment { ...Desk_payment } errors { code message field } } }`;

graphql`mutation DeskPayMutation($input: PayInput!) { pay(input: $input) { payment { ...Desk_payment } errors { code message field } } }`;

graphql`subscription DeskWatchSubscription($id: ID!) { paymentStatus(paymentId: $id) { ...Desk_payment } }`;

graphql`subscription DeskBalanceSubscription { balanceChanged { id available { amount } version } }`;
