/** What is wrong with the certificate that a receiver presented, and what it says. */
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { Destination } from '../../../model/exportConfig.ts';
import type { PresentedCertificate } from '../../../model/portReport.ts';
import { type Diagnosis, nothingFound, type Remedy, type ShownCertificate } from './remedy.ts';

/** Nothing is said of one that is as it should be: then something else is wrong. */
export function judgeCertificate(
  certificate: PresentedCertificate,
  { url, tls }: Destination,
  now: number,
): Diagnosis {
  const host = tls.serverName ?? url.hostname.replace(/^\[|\]$/g, '');
  // With a wrong date or name it is not known whether the authority is trusted.
  const remedy =
    findValidity(certificate, now) ??
    (isFor(certificate, host)
      ? findAuthority(certificate, tls.ca !== undefined)
      : findName(certificate, host));
  if (remedy === null) return nothingFound;
  return { remedies: [remedy], certificate: show(certificate) };
}

function findValidity({ validFrom, validTo }: PresentedCertificate, now: number): Remedy | null {
  if (Date.parse(validTo) < now) {
    const says = `The certificate expired on ${showDay(validTo)}. The operator of the receiver must renew it.`;
    return { says, fix: null };
  }
  if (Date.parse(validFrom) <= now) return null;
  const says = `The certificate is valid only from ${showDay(validFrom)}. Check the clocks of both sides.`;
  return { says, fix: null };
}

function isFor({ names, subject }: PresentedCertificate, host: string): boolean {
  const listed = names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP Address'}:${name}`).join(', ');
  const commonName = /(?:^|, )CN=([^,]+)/.exec(subject)?.[1] ?? '';
  const parts = { subject: { CN: commonName }, ...(listed !== '' && { subjectaltname: listed }) };
  return checkServerIdentity(host, parts as Parameters<typeof checkServerIdentity>[1]) === undefined;
}

function findName({ names }: PresentedCertificate, host: string): Remedy {
  const list = names.slice(0, 5).join(', ') || 'no name at all';
  const says = `The certificate is not for ${host}, but for ${list}. Use such a name in the endpoint, or as Server name under TLS.`;
  const name = names.find((each) => isIP(each) === 0 && !each.includes('*'));
  if (name === undefined) return { says, fix: null };
  const label = `Trust the name ${name}`;
  const risk = 'Do so only if the operator of the receiver confirms that name: its owner gets what is sent.';
  return { says: `${says} ${risk}`, fix: { label, field: 'tls.serverName', value: name, isPrefix: false } };
}

function findAuthority(
  { isSelfSigned, isTrusted, issuer }: PresentedCertificate,
  hasOwnAuthority: boolean,
): Remedy | null {
  if (isTrusted) return null;
  const who = isSelfSigned
    ? 'The certificate is self-signed'
    : `The collector does not trust ${issuer}, which signed the certificate`;
  const what = isSelfSigned ? 'that certificate' : 'the certificate of that authority';
  const says = hasOwnAuthority
    ? `${who}, and Certificate authority under TLS holds another one: paste ${what} (PEM) there.`
    : `${who}. Compare the fingerprint with the operator of the receiver, then paste ${what} (PEM) into Certificate authority under TLS.`;
  return { says, fix: null };
}

function show(certificate: PresentedCertificate): ShownCertificate {
  const { subject, issuer, names, validFrom, validTo, fingerprint } = certificate;
  return {
    facts: [
      ['Subject', subject],
      ['Issuer', issuer],
      ['Names', names.join(', ') || 'none'],
      ['Valid', `${showDay(validFrom)} to ${showDay(validTo)}`],
      ['SHA-256', fingerprint],
    ],
  };
}

function showDay(time: string): string {
  return time.slice(0, 10);
}
