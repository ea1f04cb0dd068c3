/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Can a request be answered at all? Asked before a reject is acted on or remembered, because a call
 * that goes on after all must not have its CANCEL absorbed.
 */
#ifndef TG_PIPELINE_ANSWER_H
#define TG_PIPELINE_ANSWER_H

#include "tollgate/pipeline.h"

/* True: tg_answer_build with TG_ANSWER_MAX bytes will succeed for this frame. */
bool tg_answer_possible(const struct tg_frame_in *in, const struct tg_frame *f,
			const struct tg_sip *sip);

#endif
