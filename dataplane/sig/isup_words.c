/* SPDX-License-Identifier: BSD-3-Clause */
/* The indicators of ISUP parameters, from the values of the wire to the words that rules have. */
#include "tollgate/isup.h"

/* Q.763 §3.9 b; the ANSI values beyond 4 keep the meaning that their names say (T1.113.3 §3.6). */
enum tg_isup_nature tg_isup_nature(unsigned nature)
{
	switch (nature) {
	case 1:
		return TG_ISUP_NATURE_SUBSCRIBER;
	case 2:
		return TG_ISUP_NATURE_UNKNOWN;
	case 3:
	case 0x72: /* ANSI: national, operator requested */
		return TG_ISUP_NATURE_NATIONAL;
	case 4:
	case 0x73: /* ANSI: international, operator requested */
		return TG_ISUP_NATURE_INTERNATIONAL;
	case 5:
		return TG_ISUP_NATURE_NETWORK_SPECIFIC;
	default:
		return TG_ISUP_NATURE_OTHER;
	}
}

unsigned tg_isup_nature_wire(enum tg_isup_nature nature)
{
	switch (nature) {
	case TG_ISUP_NATURE_SUBSCRIBER:
		return 1;
	case TG_ISUP_NATURE_UNKNOWN:
		return 2;
	case TG_ISUP_NATURE_NATIONAL:
		return 3;
	case TG_ISUP_NATURE_INTERNATIONAL:
		return 4;
	case TG_ISUP_NATURE_NETWORK_SPECIFIC:
		return 5;
	case TG_ISUP_NATURE_OTHER:
	case TG_ISUP_NATURE_COUNT:
		break;
	}
	return 0; /* spare */
}

/* Q.763 §3.9 d */
enum tg_isup_plan tg_isup_plan(unsigned plan)
{
	switch (plan) {
	case 1:
		return TG_ISUP_PLAN_E164;
	case 3:
		return TG_ISUP_PLAN_DATA;
	case 4:
		return TG_ISUP_PLAN_TELEX;
	case 5:
		return TG_ISUP_PLAN_PRIVATE;
	default:
		return TG_ISUP_PLAN_OTHER;
	}
}

/* Q.763 §3.10 e */
enum tg_isup_shown tg_isup_shown(unsigned presentation)
{
	switch (presentation) {
	case TG_ISUP_ALLOWED:
		return TG_ISUP_SHOWN_ALLOWED;
	case TG_ISUP_NOT_AVAILABLE:
		return TG_ISUP_SHOWN_UNAVAILABLE;
	default: /* 3: restricted by the network */
		return TG_ISUP_SHOWN_RESTRICTED;
	}
}

/* Q.763 §3.26 a; 0 is T1.113.3's too */
enum tg_isup_qualifier tg_isup_qualifier(unsigned qualifier)
{
	switch (qualifier) {
	case 0:
		return TG_ISUP_QUALIFIER_DIALLED;
	case 1:
		return TG_ISUP_QUALIFIER_ADDITIONAL_CALLED;
	case 5:
		return TG_ISUP_QUALIFIER_ADDITIONAL_CONNECTED;
	case 6:
		return TG_ISUP_QUALIFIER_ADDITIONAL_CALLING;
	case 7:
		return TG_ISUP_QUALIFIER_ADDITIONAL_ORIGINAL_CALLED;
	case 8:
		return TG_ISUP_QUALIFIER_ADDITIONAL_REDIRECTING;
	case 9:
		return TG_ISUP_QUALIFIER_ADDITIONAL_REDIRECTION;
	default:
		return TG_ISUP_QUALIFIER_OTHER;
	}
}

unsigned tg_isup_qualifier_wire(enum tg_isup_qualifier qualifier)
{
	switch (qualifier) {
	case TG_ISUP_QUALIFIER_DIALLED:
		return 0;
	case TG_ISUP_QUALIFIER_ADDITIONAL_CALLED:
		return 1;
	case TG_ISUP_QUALIFIER_ADDITIONAL_CONNECTED:
		return 5;
	case TG_ISUP_QUALIFIER_ADDITIONAL_CALLING:
		return 6;
	case TG_ISUP_QUALIFIER_ADDITIONAL_ORIGINAL_CALLED:
		return 7;
	case TG_ISUP_QUALIFIER_ADDITIONAL_REDIRECTING:
		return 8;
	case TG_ISUP_QUALIFIER_ADDITIONAL_REDIRECTION:
		return 9;
	case TG_ISUP_QUALIFIER_OTHER:
	case TG_ISUP_QUALIFIER_COUNT:
		break;
	}
	return 0x7f; /* spare */
}

/* Q.763 §3.11. 224 to 226 are emergency and NS/EP calls of ANSI, national use elsewhere: a call too many is
 * one of priority rather than one too few (trap IS-13). */
enum tg_isup_category tg_isup_category(unsigned category)
{
	if (category >= 1 && category <= 9)
		return TG_ISUP_CATEGORY_OPERATOR;
	if (category >= 224 && category <= 226)
		return TG_ISUP_CATEGORY_PRIORITY;
	switch (category) {
	case 0:
		return TG_ISUP_CATEGORY_UNKNOWN;
	case 10:
		return TG_ISUP_CATEGORY_ORDINARY;
	case 11:
		return TG_ISUP_CATEGORY_PRIORITY;
	case 12:
		return TG_ISUP_CATEGORY_DATA;
	case 13:
		return TG_ISUP_CATEGORY_TEST;
	case 15:
		return TG_ISUP_CATEGORY_PAYPHONE;
	default:
		return TG_ISUP_CATEGORY_OTHER;
	}
}

unsigned tg_isup_category_wire(enum tg_isup_category category)
{
	switch (category) {
	case TG_ISUP_CATEGORY_OPERATOR:
		return 2; /* English */
	case TG_ISUP_CATEGORY_ORDINARY:
		return 10;
	case TG_ISUP_CATEGORY_PRIORITY:
		return 11;
	case TG_ISUP_CATEGORY_DATA:
		return 12;
	case TG_ISUP_CATEGORY_TEST:
		return 13;
	case TG_ISUP_CATEGORY_PAYPHONE:
		return 15;
	case TG_ISUP_CATEGORY_OTHER:
		return 14; /* spare */
	case TG_ISUP_CATEGORY_UNKNOWN:
	case TG_ISUP_CATEGORY_COUNT:
		break;
	}
	return 0;
}
