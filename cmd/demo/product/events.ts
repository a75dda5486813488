/** What happens in the sample product: event types, and metadata as such a product would write it. */
import type { Actor, Organization } from './cast.ts';
import { chooseActor, choosePerson } from './cast.ts';
import type { JsonValue } from './json.ts';
import type { Random } from './random.ts';

/** Where and when an event happens. */
export interface Scene {
  readonly random: Random;
  readonly organization: Organization;
  readonly at: Date;
}

export interface EventKind {
  readonly type: string;
  /** Share of all events, relative to the others. */
  readonly weight: number;
  /** Acts on one project, or on the organization. */
  readonly on: 'project' | 'organization';
  readonly actor: (scene: Scene) => Actor;
  readonly metadata: (scene: Scene) => Record<string, JsonValue>;
}

const anyone = ({ organization, random }: Scene): Actor => chooseActor(organization, random);
const person = ({ organization, random }: Scene): Actor => choosePerson(organization, random);
const nobody = (): Actor => ({ id: null, name: null, sessionType: 'user' });

export const eventKinds: readonly [EventKind, ...EventKind[]] = [
  {
    type: 'flow.created',
    weight: 8,
    on: 'project',
    actor: anyone,
    metadata: ({ random }) => ({
      flow: { ...flow(random), trigger: { kind: 'schedule', cron: `${random.integer(0, 59)} * * * *` } },
      steps: random.integer(2, 40),
    }),
  },
  {
    type: 'flow.updated',
    weight: 14,
    on: 'project',
    actor: anyone,
    metadata: ({ random }) => {
      const [from, to] = [random.integer(1, 5), random.integer(6, 20)];
      return {
        flow: flow(random),
        revision: { before: from, after: from + 1 },
        changes: [
          { path: '/retries', before: from, after: to },
          { path: '/timeoutSeconds', before: 30, after: 0.5 * random.integer(10, 240) },
          { path: '/owner', before: null, after: `team-${random.pick(['core', 'data', 'growth'])}` },
        ],
      };
    },
  },
  {
    type: 'flow.deleted',
    weight: 2,
    on: 'project',
    actor: person,
    metadata: ({ random }) => ({ flow: flow(random), reason: random.chance(0.5) ? 'unused' : null }),
  },
  {
    type: 'flow.run_failed',
    weight: 6,
    on: 'project',
    actor: () => ({ id: 'service-flow-runner', name: 'flow-runner', sessionType: 'service' }),
    metadata: ({ random }) => ({
      flow: flow(random),
      runId: snowflake(random),
      step: { index: random.integer(0, 12), name: 'load → “orders”' },
      error: {
        code: 'E_UPSTREAM',
        message: 'upstream said: 503 Service Unavailable\nretry later',
        retryable: true,
      },
    }),
  },
  {
    type: 'login.succeeded',
    weight: 16,
    on: 'organization',
    actor: person,
    metadata: ({ random }) => ({
      method: random.pick(['sso', 'passkey', 'password']),
      mfa: random.chance(0.8),
      session: { id: random.hex(32), expiresInSeconds: 28_800 },
    }),
  },
  {
    type: 'login.failed',
    weight: 5,
    on: 'organization',
    actor: nobody,
    metadata: ({ random, organization }) => ({
      attempted: `${random.pick(['root', 'admin', 'test', 'j.doe'])}@${organization.domain}`,
      reason: random.pick(['wrong_password', 'unknown_user', 'mfa_timeout', 'locked']),
      attempts: random.integer(1, 9),
    }),
  },
  {
    type: 'user.invited',
    weight: 4,
    on: 'organization',
    actor: person,
    metadata: ({ random, organization, at }) => ({
      email: `new.colleague.${random.integer(1, 999)}@${organization.domain}`,
      role: random.pick(['viewer', 'editor', 'admin']),
      expiresAt: new Date(at.getTime() + 7 * 86_400_000).toISOString(),
    }),
  },
  {
    type: 'role.granted',
    weight: 5,
    on: 'project',
    actor: person,
    metadata: ({ random, organization }) => {
      const { id, name } = random.pick(organization.people);
      return {
        subject: { id, name },
        before: ['viewer'],
        after: ['viewer', random.pick(['editor', 'admin'])],
      };
    },
  },
  {
    type: 'api_key.created',
    weight: 3,
    on: 'project',
    actor: person,
    metadata: ({ random }) => ({
      keyId: snowflake(random),
      prefix: `ak_${random.hex(6)}`,
      scopes: ['flows:read', ...(random.chance(0.4) ? ['flows:write'] : [])],
      expiresAt: null,
    }),
  },
  {
    type: 'api_key.revoked',
    weight: 2,
    on: 'project',
    actor: person,
    metadata: ({ random }) => ({
      keyId: snowflake(random),
      lastUsed: { ip: ip(random), calls: random.integer(0, 90_000) },
    }),
  },
  {
    type: 'data.exported',
    weight: 5,
    on: 'project',
    actor: anyone,
    metadata: ({ random }) => ({
      dataset: random.pick(['orders', 'customers', 'shipments']),
      rows: BigInt(random.integer(1, 2_000_000)) * 1_000n,
      bytes: snowflake(random),
      sha256: random.hex(64),
      filters: [],
    }),
  },
  {
    type: 'export.configured',
    weight: 1,
    on: 'organization',
    actor: person,
    metadata: ({ organization }) => ({
      before: null,
      after: {
        endpoint: `https://otel.${organization.domain}:4318`,
        compression: 'gzip',
        headers: ['Authorization'],
      },
    }),
  },
  {
    type: 'billing.plan_changed',
    weight: 1,
    on: 'organization',
    actor: person,
    metadata: ({ random }) => ({
      before: { plan: 'team', seats: random.integer(5, 40), monthly: 49.9 },
      after: { plan: 'enterprise', seats: random.integer(41, 400), monthly: 1_299 },
      // Beyond 64 bits: no receiver may get it rounded.
      ledgerSerial: snowflake(random) * 10n ** 18n + BigInt(random.integer(0, 999_999)),
    }),
  },
];

/** What every entry of the product has besides its own metadata. */
export function describeRequest(scene: Scene, actor: Actor): Record<string, JsonValue> {
  const { random } = scene;
  return {
    ip: ip(random),
    userAgent: actor.sessionType === 'user' ? random.pick(browsers) : random.pick(programs),
    requestId: [8, 4, 4, 4, 12].map((length) => random.hex(length)).join('-'),
  };
}

const browsers = [
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:146.0) Gecko/20100101 Firefox/146.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
] as const;
const programs = ['terraform-provider-flows/2.4.1', 'python-httpx/0.28.1', 'Go-http-client/2.0'] as const;

/** An address from the blocks reserved for documentation (RFC 5737, RFC 3849). */
function ip(random: Random): string {
  if (random.chance(0.2)) return `2001:db8::${random.hex(4)}`;
  return `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${random.integer(1, 254)}`;
}

function flow(random: Random): Record<string, JsonValue> {
  const name = `${random.pick(['Sync', 'Load', 'Check', 'Archive'])} ${random.pick(['orders', 'invoices', 'leads'])}`;
  return { id: snowflake(random), name };
}

/** A 63-bit id, as many products use; most of them are beyond what a double holds exactly (2^53). */
function snowflake(random: Random): bigint {
  return (BigInt(random.integer(2 ** 29, 2 ** 31 - 1)) << 32n) | BigInt(random.integer(0, 2 ** 32 - 1));
}
