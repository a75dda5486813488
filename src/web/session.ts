/** Whether somebody is signed in: for the script of a page that found its session ended, and for the tab that signs in again. */
import { sendPage } from './reply/reply.ts';
import type { Visit } from './visit.ts';

/** Where a login leads that began in a new tab. */
export const signedInPath = '/signed-in';

/** 204 to somebody who is; everybody else got 401 before this. */
export async function sayWhetherSignedIn({ response }: Visit): Promise<void> {
  response.status(204).end();
}

export async function showSignedIn(visit: Visit): Promise<void> {
  sendPage(
    visit,
    'problem',
    {
      title: 'You are signed in',
      message: 'Close this tab and go on in the one that you came from: it has kept what you typed.',
      link: { url: '/', text: 'Go to the audit logs' },
    },
    { title: 'You are signed in' },
  );
}
