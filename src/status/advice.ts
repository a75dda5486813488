/**
 * What a person does about a reason, in one sentence: the same one beside the last error of an export and beside a test
 * of its settings.
 *
 * Not here: what happened (the message that comes with the reason).
 */
import type { FailureReason } from '../model/outcome.ts';
import type { StreamFailure } from '../model/streamHealth.ts';

const waits =
  'Nothing to do for now: it is tried again by itself, and every entry is kept until it gets through.';

const advice: Readonly<Record<FailureReason | StreamFailure['reason'], string>> = {
  RateLimited:
    'Nothing to do for now: it goes on at the pace the receiver asks for; ask its operator to raise the limit if it lags behind.',
  ReceiverUnavailable: `${waits} If it lasts, tell the operator of the receiver.`,
  Timeout: 'Check that the receiver is up and not behind a firewall; a slow one may need a longer timeout.',
  ConnectionRefused: 'Check the port of the endpoint, and that the receiver is running.',
  ConnectionFailed:
    'Check the network between this collector and the receiver, and a proxy or firewall in between.',
  DnsFailed: 'Check the host name of the endpoint for a typing error.',
  TlsFailed:
    'Check the TLS settings under Advanced: the certificate authority, the server name, the client certificate.',
  AddressRefused:
    'Use a receiver at another address, or ask the operator of this collector to name it in ALLOWED_ADDRESSES, or to take it out of REFUSED_ADDRESSES.',
  Unauthorized: 'Enter a valid value for the header that carries the credentials, usually Authorization.',
  Forbidden: 'Give the credentials the permission to write logs, or enter others.',
  NotFound: 'Correct the path of the endpoint and save: what waits is sent then.',
  MethodNotAllowed: 'Correct the path of the endpoint: what is there takes no logs.',
  ProxyAuthenticationRequired: 'Add a Proxy-Authorization header, or use an address that needs no proxy.',
  UnsupportedMediaType:
    'Check that the endpoint takes OTLP as protobuf over HTTP, or set compression to none.',
  Redirected: 'Set the endpoint to the address the receiver points to: redirects are not followed.',
  NotOtlp: 'Correct the endpoint: a web page answers there, not an OTLP receiver.',
  AnswerTooLarge: 'Correct the endpoint: what answers there is not an OTLP receiver.',
  TooLarge: 'Lower the max batch size, or ask the operator of the receiver to take larger requests.',
  EntryRefused:
    'Look at what the receiver says: entries it refuses are parked, and can be replayed once it takes them.',
  EntryUnreadable:
    'Ask the operator of the database to repair the row that the message names, then replay the entry: it is parked, and all others go on.',
  EntryTooLarge:
    'Nothing was lost: the entry stays in the table. Write smaller entries; this one is parked, and all others go on.',
  EntryMissing:
    'Ask the operator of the database where the row went: a parked entry can only be sent while it is in the table.',
  DatabaseUnavailable:
    'Nothing to do here: the collector waits for its database, and loses nothing meanwhile.',
  DatabaseNotPrimary:
    'Nothing to do here. The operator of the collector leads DATABASE_URL to the primary, without load balancing of reads.',
  StreamRestarted:
    'Compare the receiver with the list of entries for the time around the restore; add a destination from that time to send them again.',
  Unclaimed: 'Nothing to do here: tell the operator of the collector.',
  PartialSuccess:
    'Ask the operator of the receiver why it rejected entries: it has said how many, not which, so they are not sent again.',
  InternalError: 'This is a bug: please report it with the log of the collector.',
};

const configAdvice: Readonly<Record<string, string>> = {
  InvalidSpec: 'Correct the fields named above.',
  SecretNotAllowed: 'Enter the value here, or have the Secret allow it.',
  OrganizationNotAllowed: 'Ask the operator of this collector to allow this organization in that namespace.',
  TooManyConfigs: 'Delete destinations that nobody needs, or ask the operator of this collector for more.',
  TooManySecrets: 'Put values into fewer Secrets, or ask the operator of this collector for more.',
  SecretNotFound: 'Create the Secret, or enter the value here.',
  SecretKeyNotFound: 'Add the key to the Secret, or enter the value here.',
  InvalidSecret: 'Correct the value in the Secret, or enter it here.',
};

/** Empty for a reason that nobody knows. */
export function adviceFor(reason: string): string {
  return (advice as Readonly<Record<string, string>>)[reason] ?? configAdvice[reason] ?? '';
}
