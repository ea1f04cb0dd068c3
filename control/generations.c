/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/generations.h"

#include <string.h>

void tg_generations_identify(struct tg_generations_set *s)
{
	s->meta.base_id = tg_memimage_id(s->base);
	s->meta.delta_id = tg_memimage_id(s->delta);
	s->meta.policy_id = tg_memimage_id(s->policy);
}

void tg_generations_copy(struct tg_generations_set *to, const struct tg_generations_set *from)
{
	*to = *from;
	tg_memimage_ref(to->base);
	tg_memimage_ref(to->delta);
	tg_memimage_ref(to->policy);
}

void tg_generations_drop(struct tg_generations_set *s)
{
	tg_memimage_put(s->base);
	tg_memimage_put(s->delta);
	tg_memimage_put(s->policy);
	*s = (struct tg_generations_set){ .base = NULL };
}

static bool same_images(const struct tg_images_set *a, const struct tg_images_set *b)
{
	return a->base_id == b->base_id && a->delta_id == b->delta_id &&
	       a->policy_id == b->policy_id;
}

static void take_out(struct tg_generations *g, unsigned i)
{
	tg_generations_drop(&g->set[i]);
	g->n--;
	memmove(&g->set[i], &g->set[i + 1], (g->n - i) * sizeof(g->set[0]));
}

struct tg_generations_set *tg_generations_publish(struct tg_generations *g,
						  const struct tg_generations_set *s, int64_t now)
{
	struct tg_generations_set copy;
	unsigned i;

	tg_generations_copy(&copy, s);
	copy.meta.number = ++g->number;
	copy.meta.first = g->number;
	copy.meta.time = now;
	for (i = 0; i < g->n; i++) {
		if (same_images(&g->set[i].meta, &copy.meta)) {
			copy.meta.first = g->set[i].meta.first;
			take_out(g, i);
			break;
		}
	}
	if (g->n == TG_IMAGES_HISTORY)
		take_out(g, 0);
	g->set[g->n] = copy;
	return &g->set[g->n++];
}

void tg_generations_refuse(struct tg_generations *g, uint64_t number)
{
	if (g->n > 0 && g->set[g->n - 1].meta.number == number)
		take_out(g, g->n - 1);
}

struct tg_generations_set *tg_generations_current(struct tg_generations *g)
{
	return g->n > 0 ? &g->set[g->n - 1] : NULL;
}

struct tg_generations_set *tg_generations_find(struct tg_generations *g, uint64_t number)
{
	unsigned i;

	for (i = 0; i < g->n; i++) {
		if (g->set[i].meta.number == number || g->set[i].meta.first == number)
			return &g->set[i];
	}
	return NULL;
}

void tg_generations_from_history(struct tg_generations *g, const struct tg_images_history *h)
{
	unsigned i;

	g->number = h->generation;
	g->n = h->n;
	for (i = 0; i < h->n; i++)
		g->set[i] = (struct tg_generations_set){ .meta = h->set[i] };
}

void tg_generations_to_history(const struct tg_generations *g, struct tg_images_history *h)
{
	unsigned i;

	h->generation = g->number;
	h->n = g->n;
	for (i = 0; i < g->n; i++)
		h->set[i] = g->set[i].meta;
}

/* Is the image another set's as well, a later one's? Then it is counted, and kept, there. */
static bool shared_later(const struct tg_generations *g, unsigned i,
			 const struct tg_memimage *image)
{
	unsigned j;

	for (j = i + 1; j < g->n; j++) {
		if (g->set[j].base == image || g->set[j].delta == image ||
		    g->set[j].policy == image)
			return true;
	}
	return false;
}

static uint64_t own_bytes(const struct tg_generations *g, unsigned i)
{
	const struct tg_generations_set *s = &g->set[i];
	const struct tg_memimage *const images[] = { s->base, s->delta, s->policy };
	uint64_t bytes = 0;
	unsigned k;

	for (k = 0; k < TG_ARRAY_LEN(images); k++) {
		if (images[k] && !shared_later(g, i, images[k]))
			bytes += images[k]->span;
	}
	return bytes;
}

static void give_back(struct tg_memimage **image)
{
	if (*image && (*image)->stored) {
		tg_memimage_put(*image);
		*image = NULL;
	}
}

void tg_generations_trim(struct tg_generations *g, uint64_t budget)
{
	uint64_t bytes = 0;
	unsigned i;

	/* From the newest down: what fits stays. */
	for (i = g->n > 0 ? g->n - 1 : 0; i-- > 0;) {
		bytes += own_bytes(g, i);
		if (bytes <= budget)
			continue;
		give_back(&g->set[i].base);
		give_back(&g->set[i].delta);
		give_back(&g->set[i].policy);
	}
}

void tg_generations_clear(struct tg_generations *g)
{
	while (g->n > 0)
		take_out(g, g->n - 1);
}
