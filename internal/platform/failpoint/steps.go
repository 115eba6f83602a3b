package failpoint

// Steps between which a process may die. A test walks All of them.
const (
	TopUpClaimed   = "topup.claimed"
	TopUpWritten   = "topup.written"
	TopUpCommitted = "topup.committed"
	ChannelStarted = "channel.started"
	PayClaimed     = "pay.claimed"
	PayTaken       = "pay.taken"
	PayWritten     = "pay.written"
	PayTold        = "pay.told"
	PayFrozen      = "pay.frozen"
	PayBooked      = "pay.booked"
	PayCommitted   = "pay.committed"
	SettleTaken    = "settle.taken"
	SettleMoved    = "settle.moved"
	SettleBooked   = "settle.booked"
	MessageSent    = "message.sent" // no step of a payment, so not among All

	RefundWritten   = "refund.written"
	RefundBooked    = "refund.booked"
	RefundCommitted = "refund.committed"
	RefundCalled    = "refund.called"
	RefundApplied   = "refund.applied"
)

// Refunds are the steps of a refund, in their order.
var Refunds = []string{RefundWritten, RefundBooked, RefundCommitted, RefundCalled, RefundApplied}

// All is every step, in the order of a payment's life; Refunds come after it.
var All = []string{TopUpClaimed, TopUpWritten, TopUpCommitted, ChannelStarted, PayClaimed, PayTaken, PayWritten, PayTold, PayFrozen, PayBooked, PayCommitted, SettleTaken, SettleMoved, SettleBooked}
