/** Reads who signed in, and their groups: some providers put those into the ID token, others only into the user info. */
import * as client from 'openid-client';
import { readGroups, readName, splitPath } from '../claims.ts';
import type { SignedIn } from './sessions.ts';

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>;
type Claims = Readonly<Record<string, unknown>>;

export interface Person {
  readonly signedIn: SignedIn;
  readonly groupsFrom: 'ID token' | 'user info' | null;
  /** Why there are no groups, for the operator; null: there are some. */
  readonly whyNoGroups: string | null;
  /** Why the user info could not be read though it was wanted; null: it was not wanted, or was read. */
  readonly userInfoError: unknown;
}

/**
 * An ID token is sent back to the provider at the logout, in an address. Servers accept 8 KB in a line, and nginx only 4 KB in
 * all headers of an answer; a longer token is not kept, and the logout then names the client alone.
 */
const longestIdToken = 2_000;

/** @throws whatever openid-client throws, if the user info cannot be read and only it could have the groups. */
export async function readPerson(
  configuration: client.Configuration,
  tokens: Tokens,
  groupsClaim: string,
): Promise<Person> {
  const idToken = tokens.claims();
  if (idToken === undefined) throw new client.ClientError('The provider sent no ID token.');
  const ownGroups = readGroups(idToken, groupsClaim);
  const isWhole = ownGroups !== undefined && readName(idToken) !== null;
  let info: Claims | null = null;
  let userInfoError: unknown = null;
  if (!isWhole && configuration.serverMetadata().userinfo_endpoint !== undefined) {
    try {
      info = await client.fetchUserInfo(configuration, tokens.access_token, idToken.sub);
    } catch (error) {
      if (ownGroups === undefined) throw error;
      userInfoError = error;
    }
  }
  const otherGroups = info === null ? undefined : readGroups(info, groupsClaim);
  const groups = ownGroups ?? otherGroups ?? [];
  const token = tokens.id_token ?? null;
  return {
    signedIn: {
      id: idToken.sub,
      name: readName(idToken) ?? (info === null ? null : readName(info)),
      groups,
      idToken: token !== null && token.length <= longestIdToken ? token : null,
      signedInAtMs: Date.now(),
    },
    groupsFrom: ownGroups ? 'ID token' : otherGroups ? 'user info' : null,
    whyNoGroups: groups.length > 0 ? null : explain(groupsClaim, idToken, info, ownGroups ?? otherGroups),
    userInfoError,
  };
}

function explain(path: string, idToken: Claims, info: Claims | null, found: string[] | undefined): string {
  if (found !== undefined) return `The claim ${path} is an empty list, or holds no text.`;
  const names = idToken['_claim_names'];
  const isOverage =
    typeof names === 'object' && names !== null && Object.hasOwn(names, splitPath(path)[0] ?? '');
  if (isOverage || idToken['hasgroups'] === true) {
    return `The user is in more groups than the provider puts into a token, so it left out ${path}: assign only the groups of this page to it, or use app roles.`;
  }
  return `The claim ${path} is neither in the ID token (${list(idToken)}) nor in the user info (${info === null ? 'not read' : list(info)}).`;
}

/** Names of claims say nothing about a person. */
function list(claims: Claims): string {
  return Object.keys(claims).slice(0, 40).join(', ').slice(0, 1_000);
}
