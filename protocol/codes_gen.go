// Code generated from spec/registry/codes.csv by spec/gen. DO NOT EDIT.

package protocol

// The error codes.
const (
	CodeAlreadyAccepted    Code = "already_accepted"    // This deal already has an acceptance; a deal never has two.
	CodeAmbiguous          Code = "ambiguous"           // A shortened ID fits more than one thing.
	CodeAwardsExhausted    Code = "awards_exhausted"    // The request's awards are all taken by other acceptances.
	CodeBadField           Code = "bad_field"           // A field has the wrong type, form or range.
	CodeBadKey             Code = "bad_key"             // A public key is not a canonical, full-order key of the expected kind.
	CodeBadSignature       Code = "bad_signature"       // The signature does not verify under the author's key.
	CodeChangeMismatch     Code = "change_mismatch"     // The offer does not change the agreement that is in force.
	CodeClockSkew          Code = "clock_skew"          // The two clocks are more than the tolerated time apart.
	CodeConflict           Code = "conflict"            // The deal's records contradict each other, which is signed proof against their author.
	CodeCriticalExtension  Code = "critical_extension"  // The record is marked with an extension that must be understood and is not.
	CodeDamaged            Code = "damaged"             // Stored bytes do not match their hash or checksum.
	CodeDealClosed         Code = "deal_closed"         // The deal has been decided, so this step is no longer possible.
	CodeDealMismatch       Code = "deal_mismatch"       // The record belongs to another deal.
	CodeDiskFull           Code = "disk_full"           // The reserve of free disk space is used up.
	CodeDuplicate          Code = "duplicate"           // The record has been relayed already.
	CodeErased             Code = "erased"              // The deal was erased in this folder.
	CodeExpired            Code = "expired"             // The record is past its time.
	CodeInternal           Code = "internal"            // The program failed in a way that it should not.
	CodeJurisdiction       Code = "jurisdiction"        // The terms cannot be agreed to under the law that applies.
	CodeKeyringUnavailable Code = "keyring_unavailable" // The system's keyring does not give the key of this folder.
	CodeLifeTooLong        Code = "life_too_long"       // The record's stated life is longer than its type may have.
	CodeLocked             Code = "locked"              // Another process has this folder open.
	CodeMailboxFull        Code = "mailbox_full"        // The mailbox has no room left for this token or depositor.
	CodeMalformed          Code = "malformed"           // The bytes are not of the form that is specified.
	CodeMissingField       Code = "missing_field"       // A required field is absent.
	CodeMissingRecord      Code = "missing_record"      // A record that this step needs is not in the set.
	CodeNotARequest        Code = "not_a_request"       // The document does not ask for anything.
	CodeNotCanonical       Code = "not_canonical"       // The CBOR is not in the one canonical form.
	CodeNotFound           Code = "not_found"           // There is nothing under that name or ID.
	CodeNotPermitted       Code = "not_permitted"       // The caller may not do this.
	CodeNotRunning         Code = "not_running"         // No node is running in this home folder.
	CodeNotSupported       Code = "not_supported"       // The terms are not among those that the other side supports.
	CodeNotYetValid        Code = "not_yet_valid"       // The record is dated in the future.
	CodeOfferExpired       Code = "offer_expired"       // The offer was no longer firm at that time.
	CodeOverQuota          Code = "over_quota"          // A limit for this sender or this class of records is reached.
	CodePassphraseNeeded   Code = "passphrase_needed"   // The keys in this folder are under a passphrase and none was given.
	CodePassphraseWrong    Code = "passphrase_wrong"    // The passphrase does not open the keys in this folder.
	CodePolicy             Code = "policy"              // The terms go against the other side's policy.
	CodeProofFailed        Code = "proof_failed"        // The proof of the pick-up key does not verify.
	CodeReadOnly           Code = "read_only"           // The node takes no writes at present.
	CodeRecovering         Code = "recovering"          // This side came back from an old backup and signs nothing new here.
	CodeScopeTooBroad      Code = "scope_too_broad"     // The terms ask for more than the request needs.
	CodeSealMalformed      Code = "seal_malformed"      // The envelope or what it seals is not of the form that is specified.
	CodeSealOpenFailed     Code = "seal_open_failed"    // The envelope cannot be opened with this key.
	CodeSealUnknownSuite   Code = "seal_unknown_suite"  // The envelope names a suite that is not known.
	CodeSecondWriter       Code = "second_writer"       // Another node that was started earlier signs with the same key.
	CodeStampTooWeak       Code = "stamp_too_weak"      // A stamp shows less work than is asked for.
	CodeTermsCounterSpent  Code = "terms_counter_spent" // The seller has made its one counter-offer of other terms already.
	CodeTermsNotOffered    Code = "terms_not_offered"   // The offer's terms are not among those of the request.
	CodeTimeout            Code = "timeout"             // The other side did not answer in time.
	CodeTooDeep            Code = "too_deep"            // The CBOR is nested deeper than allowed.
	CodeTooLarge           Code = "too_large"           // The bytes exceed the size limit.
	CodeTotalMismatch      Code = "total_mismatch"      // The stated total is not the exact sum of the lines and charges.
	CodeUnknownAgreement   Code = "unknown_agreement"   // The terms cite an agreement that is not known.
	CodeUnknownField       Code = "unknown_field"       // The record has a field outside ext that this version does not know.
	CodeUnknownType        Code = "unknown_type"        // The record's type is not one that gossip carries.
	CodeUnlawfulVoid       Code = "unlawful_void"       // The void is not one that the seller had the right to sign.
	CodeUnsupportedFormat  Code = "unsupported_format"  // The file is in a format or version that this program does not read.
	CodeUnsupportedVersion Code = "unsupported_version" // The version is not one that this program knows.
	CodeUsage              Code = "usage"               // The command or request is not well formed.
	CodeUserDeclined       Code = "user_declined"       // The person declined the terms.
	CodeWithdrawn          Code = "withdrawn"           // The request was withdrawn by its author.
	CodeWrongAuthor        Code = "wrong_author"        // The record is not signed by the key that may say this.
	CodeWrongMarket        Code = "wrong_market"        // The record names another market than the topic it came on.
)

// Codes lists the error codes in the order of their names.
func Codes() []Code {
	return []Code{
		CodeAlreadyAccepted,
		CodeAmbiguous,
		CodeAwardsExhausted,
		CodeBadField,
		CodeBadKey,
		CodeBadSignature,
		CodeChangeMismatch,
		CodeClockSkew,
		CodeConflict,
		CodeCriticalExtension,
		CodeDamaged,
		CodeDealClosed,
		CodeDealMismatch,
		CodeDiskFull,
		CodeDuplicate,
		CodeErased,
		CodeExpired,
		CodeInternal,
		CodeJurisdiction,
		CodeKeyringUnavailable,
		CodeLifeTooLong,
		CodeLocked,
		CodeMailboxFull,
		CodeMalformed,
		CodeMissingField,
		CodeMissingRecord,
		CodeNotARequest,
		CodeNotCanonical,
		CodeNotFound,
		CodeNotPermitted,
		CodeNotRunning,
		CodeNotSupported,
		CodeNotYetValid,
		CodeOfferExpired,
		CodeOverQuota,
		CodePassphraseNeeded,
		CodePassphraseWrong,
		CodePolicy,
		CodeProofFailed,
		CodeReadOnly,
		CodeRecovering,
		CodeScopeTooBroad,
		CodeSealMalformed,
		CodeSealOpenFailed,
		CodeSealUnknownSuite,
		CodeSecondWriter,
		CodeStampTooWeak,
		CodeTermsCounterSpent,
		CodeTermsNotOffered,
		CodeTimeout,
		CodeTooDeep,
		CodeTooLarge,
		CodeTotalMismatch,
		CodeUnknownAgreement,
		CodeUnknownField,
		CodeUnknownType,
		CodeUnlawfulVoid,
		CodeUnsupportedFormat,
		CodeUnsupportedVersion,
		CodeUsage,
		CodeUserDeclined,
		CodeWithdrawn,
		CodeWrongAuthor,
		CodeWrongMarket,
	}
}

// codeInfo is what the registry says about each code. It is never written to.
var codeInfo = map[Code]codeFacts{
	CodeAlreadyAccepted:    {Verdict: Ignore, Summary: "This deal already has an acceptance; a deal never has two.", Hint: "Wait for the seller's decision or ask for a void with a cancel."},
	CodeAmbiguous:          {Verdict: Ignore, Summary: "A shortened ID fits more than one thing.", Hint: "Give more of its characters."},
	CodeAwardsExhausted:    {Verdict: Ignore, Summary: "The request's awards are all taken by other acceptances.", Hint: "Wait for a void, or override: you may buy more often than you asked for."},
	CodeBadField:           {Verdict: Reject, Summary: "A field has the wrong type, form or range.", Hint: "Compare the field with the schema in spec/records.cddl."},
	CodeBadKey:             {Verdict: Reject, Summary: "A public key is not a canonical, full-order key of the expected kind."},
	CodeBadSignature:       {Verdict: Reject, Summary: "The signature does not verify under the author's key."},
	CodeChangeMismatch:     {Verdict: Ignore, Summary: "The offer does not change the agreement that is in force.", Hint: "Ask the seller for an offer that cites the agreement in force."},
	CodeClockSkew:          {Verdict: Ignore, Summary: "The two clocks are more than the tolerated time apart.", Hint: "Set the clock; the answer carries the other side's time."},
	CodeConflict:           {Verdict: Ignore, Summary: "The deal's records contradict each other, which is signed proof against their author.", Hint: "Keep the records as evidence and settle it with the other side directly."},
	CodeCriticalExtension:  {Verdict: Ignore, Summary: "The record is marked with an extension that must be understood and is not.", Hint: "Use a program that knows the extension."},
	CodeDamaged:            {Verdict: Ignore, Summary: "Stored bytes do not match their hash or checksum.", Hint: "Restore from a backup, or rebuild the view from the ledger."},
	CodeDealClosed:         {Verdict: Ignore, Summary: "The deal has been decided, so this step is no longer possible.", Hint: "Ask for a next round if the deal was voided."},
	CodeDealMismatch:       {Verdict: Ignore, Summary: "The record belongs to another deal."},
	CodeDiskFull:           {Verdict: Ignore, Summary: "The reserve of free disk space is used up.", Hint: "Free some space; reading still works."},
	CodeDuplicate:          {Verdict: Ignore, Summary: "The record has been relayed already."},
	CodeErased:             {Verdict: Ignore, Summary: "The deal was erased in this folder.", Hint: "The other side may still have its copy."},
	CodeExpired:            {Verdict: Ignore, Summary: "The record is past its time.", Hint: "Ask for a fresh one."},
	CodeInternal:           {Verdict: Ignore, Summary: "The program failed in a way that it should not.", Hint: "Report it with the diagnostics."},
	CodeJurisdiction:       {Verdict: Ignore, Summary: "The terms cannot be agreed to under the law that applies."},
	CodeKeyringUnavailable: {Verdict: Ignore, Summary: "The system's keyring does not give the key of this folder.", Hint: "Log in to the desktop that it belongs to and unlock it there; on a machine without a keyring use a passphrase."},
	CodeLifeTooLong:        {Verdict: Reject, Summary: "The record's stated life is longer than its type may have.", Hint: "Choose an earlier validUntil or retainUntil."},
	CodeLocked:             {Verdict: Ignore, Summary: "Another process has this folder open.", Hint: "Stop it, or use another home folder."},
	CodeMailboxFull:        {Verdict: Ignore, Summary: "The mailbox has no room left for this token or depositor.", Hint: "Try another of the recipient's mailboxes or try again later."},
	CodeMalformed:          {Verdict: Reject, Summary: "The bytes are not of the form that is specified."},
	CodeMissingField:       {Verdict: Reject, Summary: "A required field is absent.", Hint: "Compare the record with the schema in spec/records.cddl."},
	CodeMissingRecord:      {Verdict: Ignore, Summary: "A record that this step needs is not in the set.", Hint: "Fetch the records that this one cites."},
	CodeNotARequest:        {Verdict: Ignore, Summary: "The document does not ask for anything.", Hint: "Import the notice that invites offers."},
	CodeNotCanonical:       {Verdict: Reject, Summary: "The CBOR is not in the one canonical form.", Hint: "Encode as spec/02-records.md says."},
	CodeNotFound:           {Verdict: Ignore, Summary: "There is nothing under that name or ID."},
	CodeNotPermitted:       {Verdict: Ignore, Summary: "The caller may not do this."},
	CodeNotRunning:         {Verdict: Ignore, Summary: "No node is running in this home folder.", Hint: "Start the node first."},
	CodeNotSupported:       {Verdict: Ignore, Summary: "The terms are not among those that the other side supports."},
	CodeNotYetValid:        {Verdict: Ignore, Summary: "The record is dated in the future.", Hint: "Check the clocks on both sides."},
	CodeOfferExpired:       {Verdict: Ignore, Summary: "The offer was no longer firm at that time.", Hint: "Ask the seller for a new offer."},
	CodeOverQuota:          {Verdict: Ignore, Summary: "A limit for this sender or this class of records is reached.", Hint: "Try again later."},
	CodePassphraseNeeded:   {Verdict: Ignore, Summary: "The keys in this folder are under a passphrase and none was given.", Hint: "Give it at a terminal, or with --passphrase-file FILE or PARLEY_PASSPHRASE_FILE."},
	CodePassphraseWrong:    {Verdict: Ignore, Summary: "The passphrase does not open the keys in this folder.", Hint: "Try again; nothing has been changed."},
	CodePolicy:             {Verdict: Ignore, Summary: "The terms go against the other side's policy."},
	CodeProofFailed:        {Verdict: Ignore, Summary: "The proof of the pick-up key does not verify."},
	CodeReadOnly:           {Verdict: Ignore, Summary: "The node takes no writes at present."},
	CodeRecovering:         {Verdict: Ignore, Summary: "This side came back from an old backup and signs nothing new here.", Hint: "Wait for the other side's answer; what was signed before may still be on its way."},
	CodeScopeTooBroad:      {Verdict: Ignore, Summary: "The terms ask for more than the request needs."},
	CodeSealMalformed:      {Verdict: Ignore, Summary: "The envelope or what it seals is not of the form that is specified."},
	CodeSealOpenFailed:     {Verdict: Ignore, Summary: "The envelope cannot be opened with this key."},
	CodeSealUnknownSuite:   {Verdict: Ignore, Summary: "The envelope names a suite that is not known."},
	CodeSecondWriter:       {Verdict: Ignore, Summary: "Another node that was started earlier signs with the same key.", Hint: "Use the other node, or stop it for good first."},
	CodeStampTooWeak:       {Verdict: Ignore, Summary: "A stamp shows less work than is asked for."},
	CodeTermsCounterSpent:  {Verdict: Ignore, Summary: "The seller has made its one counter-offer of other terms already."},
	CodeTermsNotOffered:    {Verdict: Ignore, Summary: "The offer's terms are not among those of the request.", Hint: "Offer under one of the terms that the request lists."},
	CodeTimeout:            {Verdict: Ignore, Summary: "The other side did not answer in time.", Hint: "Try again later."},
	CodeTooDeep:            {Verdict: Reject, Summary: "The CBOR is nested deeper than allowed."},
	CodeTooLarge:           {Verdict: Reject, Summary: "The bytes exceed the size limit."},
	CodeTotalMismatch:      {Verdict: Reject, Summary: "The stated total is not the exact sum of the lines and charges.", Hint: "Make totalPrice the exact sum."},
	CodeUnknownAgreement:   {Verdict: Ignore, Summary: "The terms cite an agreement that is not known."},
	CodeUnknownField:       {Verdict: Ignore, Summary: "The record has a field outside ext that this version does not know.", Hint: "Use a program that knows the field."},
	CodeUnknownType:        {Verdict: Ignore, Summary: "The record's type is not one that gossip carries."},
	CodeUnlawfulVoid:       {Verdict: Ignore, Summary: "The void is not one that the seller had the right to sign.", Hint: "Keep it as evidence."},
	CodeUnsupportedFormat:  {Verdict: Ignore, Summary: "The file is in a format or version that this program does not read."},
	CodeUnsupportedVersion: {Verdict: Ignore, Summary: "The version is not one that this program knows.", Hint: "Update the program."},
	CodeUsage:              {Verdict: Ignore, Summary: "The command or request is not well formed."},
	CodeUserDeclined:       {Verdict: Ignore, Summary: "The person declined the terms."},
	CodeWithdrawn:          {Verdict: Ignore, Summary: "The request was withdrawn by its author."},
	CodeWrongAuthor:        {Verdict: Ignore, Summary: "The record is not signed by the key that may say this."},
	CodeWrongMarket:        {Verdict: Reject, Summary: "The record names another market than the topic it came on."},
}
