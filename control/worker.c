/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

struct job_queue {
	struct tg_job *head;
	struct tg_job **tail;
};

struct tg_worker {
	pthread_t thread;
	int nice;
	pthread_mutex_t lock; /* over everything down to `stopping` */
	pthread_cond_t wake;
	struct job_queue waiting;
	struct job_queue finished;
	struct tg_job *running;
	bool stopping;
	int finished_fd; /* tells the loop that `finished` is not empty */
	struct event *finished_event;
};

static void queue_push(struct job_queue *q, struct tg_job *job)
{
	job->next = NULL;
	*q->tail = job;
	q->tail = &job->next;
}

static struct tg_job *queue_pop(struct job_queue *q)
{
	struct tg_job *job = q->head;

	if (!job)
		return NULL;
	q->head = job->next;
	if (!q->head)
		q->tail = &q->head;
	return job;
}

static void *thread_main(void *arg)
{
	struct tg_worker *w = arg;

	/* Linux takes a thread's number here, 0 for the calling one; refused or not, the work is done. */
	if (w->nice != 0)
		(void)setpriority(PRIO_PROCESS, 0, w->nice);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct tg_job *job = queue_pop(&w->waiting);

		if (!job && w->stopping)
			break;
		if (!job) {
			pthread_cond_wait(&w->wake, &w->lock);
			continue;
		}
		w->running = job;
		pthread_mutex_unlock(&w->lock);
		job->run(job);
		pthread_mutex_lock(&w->lock);
		w->running = NULL;
		queue_push(&w->finished, job);
		/* Cannot fail: the counter of an eventfd overflows after 2^64 - 2 jobs. */
		(void)eventfd_write(w->finished_fd, 1);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void call_done(struct tg_worker *w)
{
	for (;;) {
		struct tg_job *job;

		pthread_mutex_lock(&w->lock);
		job = queue_pop(&w->finished);
		pthread_mutex_unlock(&w->lock);
		if (!job)
			return;
		job->done(job);
	}
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t n;

	(void)what;
	(void)eventfd_read(fd, &n);
	call_done(arg);
}

static int start_thread(struct tg_worker *w, const char *name)
{
	sigset_t all, before;
	int rc;

	/* Signals are the main loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_setname_np(w->thread, name);
	return -rc;
}

int tg_worker_open(struct event_base *loop, const char *name, int nice, struct tg_worker **worker)
{
	struct tg_worker *w = calloc(1, sizeof(*w));
	int rc = -ENOMEM;

	if (!w)
		return rc;
	w->nice = nice;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	w->waiting.tail = &w->waiting.head;
	w->finished.tail = &w->finished.head;
	w->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->finished_fd < 0) {
		rc = -errno;
		goto free_worker;
	}
	w->finished_event = event_new(loop, w->finished_fd, EV_READ | EV_PERSIST, on_finished, w);
	if (!w->finished_event || event_add(w->finished_event, NULL) != 0)
		goto free_event;
	rc = start_thread(w, name);
	if (rc != 0)
		goto free_event;
	*worker = w;
	return 0;
free_event:
	if (w->finished_event)
		event_free(w->finished_event);
	close(w->finished_fd);
free_worker:
	free(w);
	return rc;
}

void tg_worker_submit(struct tg_worker *w, struct tg_job *job)
{
	pthread_mutex_lock(&w->lock);
	queue_push(&w->waiting, job);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void tg_worker_close(struct tg_worker *w)
{
	struct tg_job *job;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	for (job = w->waiting.head; job; job = job->next)
		atomic_store_explicit(&job->cancelled, true, memory_order_relaxed);
	if (w->running)
		atomic_store_explicit(&w->running->cancelled, true, memory_order_relaxed);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	call_done(w);
	event_free(w->finished_event);
	close(w->finished_fd);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
