/** Who acts in the sample product: organizations, their projects, people and machines. */
import type { Random } from './random.ts';

export interface Organization {
  readonly name: string;
  /** Share of all entries, relative to the others. */
  readonly weight: number;
  readonly domain: string;
  readonly projects: readonly [string, ...string[]];
  readonly people: readonly [Person, ...Person[]];
}

interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Actor {
  /** null: no one known, as in a failed login with an unknown name. */
  readonly id: string | null;
  readonly name: string | null;
  readonly sessionType: 'user' | 'api_key' | 'oauth2_client' | 'service';
}

export const organizations: readonly [Organization, ...Organization[]] = [
  {
    name: 'acme',
    weight: 5,
    domain: 'acme.example',
    projects: ['web', 'mobile', 'warehouse', 'checkout'],
    people: people(100, ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Chinua Achebe', 'Frida Kahlo']),
  },
  {
    name: 'globex',
    weight: 3,
    domain: 'globex.example',
    projects: ['logistics', 'finance', 'data-lake'],
    people: people(200, [
      'Nguyễn Thị Minh Khai',
      '山田 太郎',
      'Søren Kierkegaard',
      'Zoë Müller',
      'Amina Bello',
    ]),
  },
  {
    name: 'initech',
    weight: 2,
    domain: 'initech.example',
    projects: ['tps-reports', 'payroll'],
    people: people(300, ['Peter Gibbons', 'Samir Nagheenanajar', 'Milton Waddams', "Siobhán O'Brien"]),
  },
  {
    name: 'hooli',
    weight: 1,
    domain: 'hooli.example',
    projects: ['search', 'mail', 'nucleus'],
    people: people(400, ['Ольга Ладыженская', 'Muḥammad al-Khwārizmī', 'Lê Hoàng', 'José Núñez', '김 하늘']),
  },
];

const machines: Readonly<Record<Exclude<Actor['sessionType'], 'user'>, readonly [string, ...string[]]>> = {
  api_key: ['ci-deploy', 'nightly-backup', 'terraform', 'warehouse-sync'],
  oauth2_client: ['Slack bot', 'Zapier', 'Grafana', 'Salesforce connector'],
  service: ['scheduler', 'flow-runner', 'billing-worker', 'retention-job'],
};

export function chooseOrganization(random: Random): Organization {
  let rest = random.next() * organizations.reduce((sum, { weight }) => sum + weight, 0);
  for (const organization of organizations) {
    rest -= organization.weight;
    if (rest < 0) return organization;
  }
  return organizations[0];
}

export function choosePerson(organization: Organization, random: Random): Actor {
  return { ...random.pick(organization.people), sessionType: 'user' };
}

/** A person two times out of three, else a key, a client or one of the product's own services. */
export function chooseActor(organization: Organization, random: Random): Actor {
  if (random.chance(0.65)) return choosePerson(organization, random);
  const sessionType = random.pick(['api_key', 'oauth2_client', 'service']);
  const name = random.pick(machines[sessionType]);
  return { id: `${sessionType}-${name.toLowerCase().replaceAll(' ', '-')}`, name, sessionType };
}

function people(firstId: number, names: readonly [string, ...string[]]): [Person, ...Person[]] {
  const [first, ...others] = names;
  return [
    { id: `u-${firstId}`, name: first },
    ...others.map((name, index) => ({ id: `u-${firstId + index + 1}`, name })),
  ];
}
