// Code generated from spec/registry/limits.csv by spec/gen. DO NOT EDIT.

package protocol

// The limits, each in the unit that its comment gives.
const (
	MailboxRetention         = 2592000      // seconds: How long a mailbox keeps an envelope: 30 days.
	MaxAwards                = 1000         // count: Awards of an intent.
	MaxBlockBytes            = 61440        // bytes: A record's block, signature included.
	MaxBundleRecords         = 16           // count: Records of a bundle.
	MaxCategories            = 8            // count: Categories of an intent or of an item.
	MaxCharges               = 32           // count: Charges of an offer.
	MaxClockAhead            = 600          // seconds: How far in the future a record's at may lie.
	MaxCounters              = 16           // count: Counters of one deal that a side must be ready to keep.
	MaxCrit                  = 16           // count: Keys that crit lists.
	MaxDealRecords           = 64           // count: Records of one deal that a side must be ready to keep.
	MaxDecimalFractionDigits = 4            // digits: Digits after the point of a decimal.
	MaxDecimalIntegerDigits  = 15           // digits: Digits before the point of a decimal.
	MaxDepositStampBits      = 22           // bits: The most work that a mailbox asks of a deposit.
	MaxDepth                 = 16           // levels: Nesting of a block; the record's array is level 1.
	MaxEnvelopeBytes         = 163840       // bytes: A sealed envelope.
	MaxFollowUpRecords       = 256          // count: Follow-up records of one agreement that a side must be ready to keep.
	MaxFrameBytes            = 65536        // bytes: A gossip frame.
	MaxIdentifiers           = 4            // count: Identifiers of an intent.
	MaxIntentLife            = 15552000     // seconds: An intent's validUntil after its at: 180 days.
	MaxIntentRetention       = 31622400     // seconds: An intent's or withdrawal's retainUntil after its at: 366 days.
	MaxItems                 = 200          // count: Items of an intent or of an offer.
	MaxMailboxes             = 8            // count: Mailboxes of a replyTo.
	MaxMarketBytes           = 64           // bytes: A market's name.
	MaxMeasures              = 16           // count: Measures of an outcome.
	MaxMessageBytes          = 1048576      // bytes: A message of the mailbox protocol.
	MaxNoticeRecords         = 64           // count: Records that a deletion notice names as erased, and as kept.
	MaxOfferLife             = 15552000     // seconds: An offer's validUntil after its at: 180 days.
	MaxOfferNumber           = 1000         // count: The number of an offer.
	MaxPickupWait            = 60           // seconds: How long a pick-up may wait for an envelope.
	MaxProfileAreas          = 32           // count: Areas of a profile.
	MaxProfileCategories     = 32           // count: Categories of a profile.
	MaxProfileMarkets        = 32           // count: Markets of a profile.
	MaxProfileTerms          = 32           // count: Terms of a profile.
	MaxProofSkew             = 600          // seconds: How far the at of a pick-up proof may lie from the mailbox's clock.
	MaxReceiptRecords        = 64           // count: Records that a delivery receipt names.
	MaxRetention             = 316224000    // seconds: Any record's retainUntil after its at: 3660 days.
	MaxReturnDays            = 3660         // days: Days within which an offer lets goods be returned.
	MaxRound                 = 1000         // count: The round of a deal.
	MaxSealedPayloadBytes    = 131068       // bytes: A payload: the largest size class less its length field.
	MaxStampBytes            = 8            // bytes: A stamp, when there is one.
	MaxTerms                 = 8            // count: Terms of an intent.
	MaxTime                  = 253402300799 // seconds: The last time: 9999-12-31T23:59:59Z.
	MaxTokenBytes            = 4194304      // bytes: What a mailbox keeps for one token.
	MaxTokenEnvelopes        = 256          // count: Envelopes that a mailbox keeps for one token.
	MaxTransactions          = 256          // count: Transactions of a transaction history.
	MaxValues                = 8192         // count: Values of a block or message, map keys included; a link is two.
	MaxWriterRetention       = 600          // seconds: A writer's retainUntil after its at.
	RequiredStampBits        = 0            // bits: Work that gossip asks of a stamp.
)
