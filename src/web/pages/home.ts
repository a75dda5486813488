/** `/`: on to the organization one administers, or a choice of them. */
import { sendPage, sendProblem } from '../reply.ts';
import type { Visit } from '../visit.ts';

export async function showHome(visit: Visit): Promise<void> {
  const { viewer, request, response, context } = visit;
  const organizations =
    viewer.administers === 'all' ? await listOrganizations(context) : [...viewer.administers].sort();
  const [first] = organizations;
  if (first === undefined) {
    sendProblem(request, response, 403, {
      title: 'Audit logs are for organization admins',
      message: 'You are signed in, but you administer no organization. Ask an admin of yours for access.',
      link: null,
    });
  } else if (organizations.length === 1) {
    response.redirect(303, `/organizations/${encodeURIComponent(first)}/audit-logs`);
  } else {
    sendPage(visit, 'home', { organizations, unknown: null }, { title: 'Organizations' });
  }
}

async function listOrganizations(_context: Visit['context']): Promise<string[]> {
  return [];
}
