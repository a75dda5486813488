/** Text that says what to try with the running demo. */
import { join, relative } from 'node:path';
import { organizations } from './product/cast.ts';

export interface LegendFacts {
  readonly pageUrl: string;
  readonly productUrl: string;
  /** The Authorization header that the receiver requires. */
  readonly authorization: string;
  /** Sees everything. */
  readonly superuserUrl: string;
  readonly configDirectory: string;
  readonly operationsUrl: string;
  readonly logFile: string;
  /** A file. */
  readonly ledgerPublicKey: string;
  /** Typed lines become entries. */
  readonly takesNotes: boolean;
}

export function describeDemo(facts: LegendFacts): string {
  const configs = showPath(facts.configDirectory);
  const names = organizations.map(({ name }) => name).join(', ');
  const note = facts.takesNotes
    ? '  or type something here and press Enter: that becomes an entry of acme too.\n'
    : '';
  return `
Audit Export runs. A sample product writes entries; each is sent to the receiver, which prints it below.

Open the page
  ${facts.pageUrl}/organizations/acme/audit-logs
  Under "Configure OTEL Export", acme has two destinations. One is broken on purpose: its endpoint ends in /v1/log. Correct it to
  /v1/logs and save: everything that was pending arrives. The receiver requires the header Authorization: ${facts.authorization}

Write an entry yourself
  psql '${facts.productUrl}'
  insert into audit.entries (organization, event_type, metadata) values ('acme', 'demo.hello', '{"n": 42}');
${note}
Or configure with files (one for each of ${names})
  ${join(configs, 'acme.yaml')}, with its status in ${join(configs, 'acme.status.yaml')}
  Change the port of its endpoint to 1: entries of acme wait, the status says why, and the others are not affected.
  Change it back: all of them arrive, each once. Or change the secret ${join(configs, 'secrets', 'acme', 'authorization')}.

Look inside
  ${facts.operationsUrl}/metrics, /readyz and /livez; the collector's log is ${showPath(facts.logFile)}
  psql '${facts.superuserUrl}' -c 'select organization, delivered, sequence from audit.streams'

Prove that no entry is missing or altered, then alter one in the table audit.entries, and see it named
  DATABASE_URL='${facts.superuserUrl}' npm run verify -- --table --organization acme --public-key ${showPath(facts.ledgerPublicKey)}

Stop with Ctrl-C. The data stays.

`;
}

/** The path as typed from the working directory. */
function showPath(path: string): string {
  const shown = relative(process.cwd(), path);
  return shown.startsWith('..') ? path : shown;
}
