output "load_balancer" {
  description = "Name that clients and devices connect to: port 5432 SQL, 443 events, 8443 schema and query API. Point the names of the certificates to it."
  value       = aws_lb.this.dns_name
}

output "bucket" {
  description = "Bucket of archives and lake."
  value       = aws_s3_bucket.this.bucket
}

output "cluster" {
  description = "ECS cluster, for the administration commands that run as tasks."
  value       = aws_ecs_cluster.this.name
}

output "administration" {
  description = "Task definitions by service. Any will do to run tenant, key and user commands with: aws ecs run-task with the command overridden."
  value       = { for name, definition in aws_ecs_task_definition.this : name => definition.family }
}

output "role_arns" {
  description = "IAM roles of the tasks, by service."
  value       = { for name, role in aws_iam_role.task : name => role.arn }
}
