/** `/`: leads to the viewer's only organization, or offers a choice. */
import { listOrganizations } from '../database/organizations.ts';
import { sendPage, sendProblem } from './reply/reply.ts';
import { isOrganizationName, logsUrl } from './urls.ts';
import type { Visit } from './visit.ts';

/** Viewers who administer more than these type the name. */
const mostListed = 500;

export async function showHome(visit: Visit): Promise<void> {
  const { viewer, request, response, context } = visit;
  const wanted = request.query['organization'];
  if (typeof wanted === 'string' && isOrganizationName(wanted)) {
    response.redirect(303, logsUrl(wanted));
    return;
  }
  const administersAll = viewer.administers === 'all';
  const organizations =
    viewer.administers === 'all'
      ? await listOrganizations(context.db, mostListed)
      : [...viewer.administers].sort();
  const [first] = organizations;
  if (first === undefined && !administersAll) {
    sendProblem(request, response, 403, {
      title: 'Audit logs are for organization admins',
      message:
        'You are signed in but do not administer any organization. Ask an admin of your organization for access.',
    });
  } else if (first !== undefined && organizations.length === 1 && wanted === undefined) {
    response.redirect(303, logsUrl(first));
  } else {
    const unknown = typeof wanted === 'string' ? wanted.slice(0, 300) : null;
    sendPage(visit, 'home', { organizations, unknown }, { title: 'Organizations' });
  }
}
