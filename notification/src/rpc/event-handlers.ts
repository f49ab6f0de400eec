/** The handlers of the event log. */
import { type Handlers, requireCaller } from '@payflowx/chassis';
import type { NotificationServiceService } from '@payflowx/proto/notification';
import { type FollowDeps, followEvents, getEvent, listEvents } from '../app/list-events.ts';

type EventHandlers = Pick<
  Handlers<typeof NotificationServiceService>,
  'listEvents' | 'getEvent' | 'followEvents'
>;

export function eventHandlers(deps: FollowDeps): EventHandlers {
  return {
    listEvents: (request, call) => listEvents(deps, { ...request, caller: requireCaller(call) }),
    getEvent: async ({ eventId }, call) => ({ event: await getEvent(deps, requireCaller(call), eventId) }),
    followEvents: (request, call) => followEvents(deps, { ...request, caller: requireCaller(call) }),
  };
}
