/*
 * roles.h: which folder is what, by the special-folder properties ([MS-OXOSFLD]), never by name.
 *
 * Pure functions over memory; no allocation; any thread.
 */
#ifndef SCANNER_OST_ROLES_H
#define SCANNER_OST_ROLES_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/ost/item.h"

/*
 * Sets `role` of every folder: static text, or NULL. The roles:
 *   root ipm_subtree inbox outbox sent deleted drafts calendar contacts tasks notes journal
 *   sync_issues conflicts local_failures server_failures junk archive rss_feeds
 *   conversation_actions quick_steps suggested_contacts im_contacts quick_contacts freebusy
 *   reminders todo_search tracked_mail contact_search search finder views common_views shortcuts
 * `search`: a search folder that is none of the others. No role but that one is given twice.
 *
 * Needed of the image: content and store; of each folder: nid, parent and props, the latter whole.
 * `receive_folder`: the folder nid (0x6605) of the receive folder table's row with the empty
 * message class (node 0x62B), 0 when it is not known.
 */
void ost_roles_assign(const struct ost_image *image, uint32_t receive_folder,
                      struct ost_folder *folders, size_t count);

#endif
